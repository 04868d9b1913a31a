import type { Container } from '#engine/runtime/container.ts';

import type { Context } from '../context.ts';

/** Bytes that a container wrote, and those together with its image's. */
export async function containerSizes(
  { engine }: Context,
  container: Container,
  signal: AbortSignal,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const written = await engine.snapshots.writtenBytes(container.id, signal);
  const image = engine.images.find(container.spec.imageId);
  return { SizeRw: written, SizeRootFs: written + (image?.sizeBytes ?? 0) };
}
