import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '#kube/types/gen/admissionregistration-v1.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';

const group = 'admissionregistration.k8s.io';
const mutatingResource = { group, resource: 'mutatingwebhookconfigurations' };
const validatingResource = { group, resource: 'validatingwebhookconfigurations' };

/** A webhook with the name of its configuration. */
export interface Named<T> {
  readonly configuration: string;
  readonly webhook: T;
}

/** The webhooks of the cluster in the order in which they are asked: by the names of their configurations. */
export class WebhookIndex {
  readonly #mutating = new Map<string, MutatingWebhookConfiguration>();
  readonly #validating = new Map<string, ValidatingWebhookConfiguration>();

  mutating(): readonly Named<MutatingWebhook>[] {
    return inOrder(this.#mutating);
  }

  validating(): readonly Named<ValidatingWebhook>[] {
    return inOrder(this.#validating);
  }

  /** Follows the store until the signal aborts; resolves when all that was there is known. */
  async follow(objects: Objects, onEnd: (error: unknown) => void, signal: AbortSignal): Promise<void> {
    await Promise.all([
      followInto(objects, mutatingResource, this.#mutating, onEnd, signal),
      followInto(objects, validatingResource, this.#validating, onEnd, signal),
    ]);
  }
}

function inOrder<T>(configurations: ReadonlyMap<string, { readonly webhooks?: readonly T[] }>): readonly Named<T>[] {
  return [...configurations.keys()]
    .toSorted()
    .flatMap((configuration) =>
      (configurations.get(configuration)?.webhooks ?? []).map((webhook) => ({ configuration, webhook })),
    );
}

async function followInto<T extends object>(
  objects: Objects,
  of: ResourceName,
  into: Map<string, T>,
  onEnd: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const follow = async (onSynced: () => void): Promise<void> => {
    for await (const { type, object } of objects.follow(of, signal)) {
      const name = object?.metadata.name ?? '';
      if (type === 'put') into.set(name, object as unknown as T);
      else if (type === 'remove') into.delete(name);
      else onSynced();
    }
  };
  await new Promise<void>((resolve) => {
    follow(resolve)
      .catch((error: unknown) => (signal.aborted ? undefined : onEnd(error)))
      .finally(resolve);
  });
}
