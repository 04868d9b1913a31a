import { Instance, type InstanceOptions } from './instance.ts';
import { makeRoot } from './temp-root.ts';

/** A daemon with the image busybox, for all tests of a file; the file destroys it at its end. */
export async function openInstance(options: InstanceOptions = {}): Promise<Instance> {
  const instance = new Instance(makeRoot(), options);
  try {
    await instance.start();
    await instance.loadBusybox();
    return instance;
  } catch (error) {
    await instance.destroy();
    throw error;
  }
}
