import { mediaTypes } from '#formats/oci.ts';
import type { Digest } from '#formats/oci.ts';
import { familiarReference, withDefaultTag } from '#formats/reference.ts';
import type { Reference } from '#formats/reference.ts';
import type { LayerArtifact, OnProgress, RegistryAuth } from '../images.ts';
import { inTurn } from '../in-turn.ts';
import { uploadBytes } from '../registry/blob-upload.ts';
import { Repository } from '../registry/repository.ts';
import type { Room } from '../room.ts';
import { ProgressLine } from './progress-lines.ts';
import type { PushedLayer } from './push-manifest.ts';
import { sendLayer } from './send-layer.ts';

/** Pushes layers with a document as an OCI image manifest whose configuration is the document; see `Images.pushArtifact`. */
export async function pushArtifact(
  room: Room,
  asked: Reference,
  { layers, documentType, document }: LayerArtifact,
  { auth, onProgress }: { readonly auth: RegistryAuth | undefined; readonly onProgress: OnProgress },
  signal: AbortSignal,
): Promise<Digest> {
  const reference = withDefaultTag(asked);
  using _hold = room.layers.hold(layers.map(({ chainId }) => chainId));
  const repository = new Repository(room.connect(reference.domain, auth), reference, 'pull,push');
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const tasks = new Map<Digest, Promise<PushedLayer>>();
  for (const layer of layers) {
    if (tasks.has(layer.diffId)) continue;
    const line = new ProgressLine(layer.diffId, onProgress);
    const send = async () => await sendLayer(room, { repository, reference }, layer, undefined, line, either);
    const task = inTurn((work) => room.uploads.run(work), send, either);
    task.catch((error: unknown) => failure.abort(error));
    tasks.set(layer.diffId, task);
  }
  await Promise.allSettled(tasks.values());
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  const sent = await Promise.all(layers.map(({ diffId }) => tasks.get(diffId) as Promise<PushedLayer>));
  const { digest, sizeBytes } = await uploadBytes(repository, document, signal);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: documentType, digest, size: sizeBytes },
    layers: sent,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const pushed = await repository.putManifest(reference.tag ?? '', bytes, mediaTypes.ociManifest, signal);
  onProgress({ id: '', status: `${familiarReference(reference)}: digest: ${pushed} size: ${String(bytes.length)}` });
  return pushed;
}
