import { isDeepStrictEqual } from 'node:util';

import { messageOf } from '#base/errors.ts';
import { applyJsonPatch } from '#kube/patch/json-patch.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError } from '#kube/status.ts';
import type { MutatingWebhook } from '#kube/types/gen/admissionregistration-v1.ts';

import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { askWebhook, isWanted, type Asking } from './ask-webhook.ts';
import type { Named, WebhookIndex } from './webhook-index.ts';

/** Asks mutating webhooks one after the other, and those that want it again when others changed what they had seen. */
export function mutatingWebhooks(index: WebhookIndex, asking: Asking): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutate: async (request, signal) => {
      const asked = new Map<Named<MutatingWebhook>, Resource | undefined>();
      for (const named of index.mutating()) {
        if (!(await isWanted(asking, named.webhook, request, signal))) continue;
        await mutate(named.webhook, request, asking, signal);
        asked.set(named, request.object);
      }
      for (const [named, seen] of asked) {
        if (named.webhook.reinvocationPolicy !== 'IfNeeded' || isDeepStrictEqual(seen, request.object)) continue;
        if (await isWanted(asking, named.webhook, request, signal))
          await mutate(named.webhook, request, asking, signal);
      }
    },
  };
}

/** Asks all validating webhooks at the same time; the first refusal in their order is told. */
export function validatingWebhooks(index: WebhookIndex, asking: Asking): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate: async (request, signal) => {
      const results = await Promise.allSettled(
        index.validating().map(async ({ webhook }) => {
          if (await isWanted(asking, webhook, request, signal)) await askWebhook(asking, webhook, request, signal);
        }),
      );
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    },
  };
}

/** A patch makes a new object: what earlier links hold of the old one stays as it was. */
async function mutate(
  webhook: MutatingWebhook,
  request: AdmissionRequest,
  asking: Asking,
  signal: AbortSignal,
): Promise<void> {
  const verdict = await askWebhook(asking, webhook, request, signal);
  if (verdict?.patch === undefined) return;
  const name = JSON.stringify(webhook.name ?? '');
  if (request.object === undefined)
    throw new ApiError(
      'InternalError',
      `Internal error occurred: admission webhook ${name} attempted to modify the object, which is not supported for this operation`,
    );
  try {
    request.object = applyJsonPatch({ ...request.object }, verdict.patch) as unknown as Resource;
  } catch (error) {
    throw new ApiError(
      'InternalError',
      `Internal error occurred: admission webhook ${name} gave a patch that does not fit: ${messageOf(error)}`,
      undefined,
      error,
    );
  }
}
