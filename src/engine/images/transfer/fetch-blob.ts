import type { Descriptor } from '#formats/oci.ts';
import { inTurn } from '../in-turn.ts';
import { downloadBlob } from '../registry/blob-download.ts';
import type { Repository } from '../registry/repository.ts';
import type { Room } from '../room.ts';
import type { ProgressLine } from './progress-lines.ts';

/** Makes a blob be in the cache, which the caller has told to hold it; see `downloadBlob`. */
export async function fetchBlob(
  { blobs }: Pick<Room, 'blobs'>,
  repository: Repository,
  descriptor: Descriptor,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  const fetch = async (): Promise<void> => {
    if (blobs.has(digest)) return await blobs.touch(digest);
    const part = blobs.partPathOf(digest);
    await downloadBlob(repository, descriptor, part, (bytes) => line.count('Downloading', bytes, size), signal);
    await blobs.adopt(digest, part);
  };
  await inTurn((work) => blobs.exclusively(digest, work), fetch, signal);
}
