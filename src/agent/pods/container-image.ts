import { StatusError } from '#base/errors.ts';
import type { Image } from '#engine/images/images.ts';
import { parseReference } from '#formats/reference.ts';
import type { Container, Pod } from '#kube/types/gen/core-v1.ts';

import { ContainerFault } from './pod-fault.ts';
import { pullAuth } from './pull-auth.ts';
import { fieldOf, type PodTools } from './pod-tools.ts';

/** The image of a container, pulled when its policy says so. Throws ContainerFault. */
export async function containerImage(
  pod: Pod,
  { image = '', imagePullPolicy = 'IfNotPresent', name = '' }: Container,
  tools: PodTools,
  signal: AbortSignal,
): Promise<Image> {
  const { engine, record } = tools;
  const found = engine.images.find(image);
  const field = fieldOf(pod, name);
  if (imagePullPolicy === 'Never' && found === undefined) {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    record(pod, 'Warning', 'ErrImageNeverPull', message, field);
    throw new ContainerFault('ErrImageNeverPull', new StatusError('NotFound', message));
  }
  if (found !== undefined && imagePullPolicy !== 'Always') {
    record(pod, 'Normal', 'Pulled', `Container image "${image}" already present on machine`, field);
    return found;
  }
  record(pod, 'Normal', 'Pulling', `Pulling image "${image}"`, field);
  try {
    const reference = parseReference(image);
    const auth = await pullAuth(pod, reference, tools, signal);
    const options = auth === undefined ? {} : { auth };
    const pulled = await engine.images.pull(reference, options, () => {}, signal);
    record(pod, 'Normal', 'Pulled', `Successfully pulled image "${image}"`, field);
    return pulled;
  } catch (error) {
    signal.throwIfAborted();
    const fault = new ContainerFault('ErrImagePull', error);
    record(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${fault.message}`, field);
    record(pod, 'Warning', 'Failed', 'Error: ErrImagePull', field);
    throw fault;
  }
}
