import type { Resource } from '#kube/resource.ts';
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '#kube/types/gen/admissionregistration-v1.ts';

import type { Objects, ResourceName } from '../../auth/objects.ts';
import { compilePolicy, type CompiledPolicy } from './compiled-policy.ts';

const group = 'admissionregistration.k8s.io';
const policies = { group, resource: 'validatingadmissionpolicies' };
const bindings = { group, resource: 'validatingadmissionpolicybindings' };

/** A policy where it is bound; `error`: an expression of it cannot be compiled. */
export interface BoundPolicy {
  readonly policy: ValidatingAdmissionPolicy;
  readonly compiled: CompiledPolicy | undefined;
  readonly error: unknown;
  readonly binding: ValidatingAdmissionPolicyBinding;
}

/** Policies and bindings of the cluster; a policy is compiled once for each of its states. */
export class PolicyIndex {
  readonly #policies = new Map<string, Omit<BoundPolicy, 'binding'>>();
  readonly #bindings = new Map<string, ValidatingAdmissionPolicyBinding>();

  putPolicy(policy: ValidatingAdmissionPolicy): void {
    const name = policy.metadata.name ?? '';
    try {
      this.#policies.set(name, { policy, compiled: compilePolicy(policy), error: undefined });
    } catch (error) {
      this.#policies.set(name, { policy, compiled: undefined, error });
    }
  }

  putBinding(binding: ValidatingAdmissionPolicyBinding): void {
    this.#bindings.set(binding.metadata.name ?? '', binding);
  }

  /** In the order of the bindings' names. */
  bound(): readonly BoundPolicy[] {
    return [...this.#bindings.keys()].toSorted().flatMap((name) => {
      const binding = this.#bindings.get(name);
      const known = this.#policies.get(binding?.spec?.policyName ?? '');
      return binding === undefined || known === undefined ? [] : [{ ...known, binding }];
    });
  }

  /** Follows the store until the signal aborts; resolves when all that was there is known. */
  async follow(objects: Objects, onEnd: (error: unknown) => void, signal: AbortSignal): Promise<void> {
    const follow = async (
      of: ResourceName,
      put: (object: Resource) => void,
      from: Map<string, unknown>,
      onSynced: () => void,
    ): Promise<void> => {
      for await (const { type, object } of objects.follow(of, signal)) {
        if (type === 'synced') onSynced();
        else if (type === 'remove') from.delete(object?.metadata.name ?? '');
        else if (object !== undefined) put(object);
      }
    };
    const started = async (...how: [ResourceName, (object: Resource) => void, Map<string, unknown>]): Promise<void> =>
      await new Promise((resolve) => {
        follow(...how, resolve)
          .catch((error: unknown) => (signal.aborted ? undefined : onEnd(error)))
          .finally(resolve);
      });
    await Promise.all([
      started(policies, (object) => this.putPolicy(object), this.#policies),
      started(bindings, (object) => this.putBinding(object), this.#bindings),
    ]);
  }
}
