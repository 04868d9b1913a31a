import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { messageOf } from '#base/errors.ts';
import { conversionReview, convertedObjects, kindText } from '#kube/custom/conversion-review.ts';
import type { CustomKind } from '#kube/custom/custom-kinds.ts';
import type { Resource } from '#kube/resource.ts';
import { ApiError, type Status } from '#kube/status.ts';
import type { CustomResourceConversion } from '#kube/types/gen/apiextensions-v1.ts';

import { webhookTarget, type CallWebhook } from '../admission/webhooks/call-webhook.ts';
import type { Objects } from '../auth/objects.ts';
import { apiVersionOf, type Conversion } from '../resources/served-resource.ts';
import type { StoredObject } from '../storage/stored-object.ts';

/** Of one call; upstream's default of a client for webhooks. */
const webhookTimeoutMs = 30_000;
/** Objects in one call of a webhook. */
const batchMost = 500;

export interface ConversionParts {
  readonly objects: Objects;
  readonly callWebhook: CallWebhook;
  /** All versions of the definition, also those that are not served. */
  readonly kinds: readonly CustomKind[];
  readonly strategy: CustomResourceConversion | undefined;
}

/**
 * Reads what is stored in any version of a definition as one of them, and stores that in the version for it: by another
 * apiVersion alone, or by a webhook. What is read gets the defaults of the version it is stored in, and loses what schemas
 * do not know (apiextensions-apiserver, customresource_handler.go).
 */
export class CustomConversion implements Conversion {
  readonly #parts: ConversionParts;
  readonly #def: CustomKind;
  /** Of states that are still in use, so that many readers cost one conversion. */
  readonly #shown = new WeakMap<StoredObject, StoredObject>();

  constructor(parts: ConversionParts, def: CustomKind) {
    this.#parts = parts;
    this.#def = def;
  }

  async toStored(object: Resource, signal: AbortSignal): Promise<Resource> {
    const stored = this.#parts.kinds.find((kind) => kind.isStored) ?? this.#def;
    const [converted = object] = await this.#convert([object], stored, signal);
    return converted;
  }

  async fromStored(objects: readonly StoredObject[], signal: AbortSignal): Promise<readonly StoredObject[]> {
    const missing = objects.filter((one) => !this.#shown.has(one));
    for (let start = 0; start < missing.length; start += batchMost) {
      const batch = missing.slice(start, start + batchMost);
      const converted = await this.#convert(
        batch.map((one) => this.#read(one)),
        this.#def,
        signal,
      );
      for (const [index, one] of batch.entries()) {
        const object = converted[index] ?? one.object;
        this.#shown.set(one, isDeepStrictEqual(object, one.object) ? one : one.as(object));
      }
    }
    return objects.map((one) => this.#shown.get(one) ?? one);
  }

  /** As it is stored, by the schema of today. */
  #read({ object }: StoredObject): Resource {
    const kind = this.#kindOf(object);
    const read = structuredClone(object);
    kind?.prune(read);
    kind?.setDefaults?.(read);
    return read;
  }

  /** Throws ConversionFailure. */
  async #convert(objects: readonly Resource[], to: CustomKind, signal: AbortSignal): Promise<readonly Resource[]> {
    const apiVersion = apiVersionOf(to);
    const others = objects.filter((one) => one.apiVersion !== apiVersion);
    if (others.length === 0) return objects;
    const { strategy } = this.#parts;
    const converted =
      strategy?.strategy === 'Webhook'
        ? await this.#askWebhook(others, apiVersion, signal)
        : others.map((one) => ({ ...structuredClone(one), apiVersion }));
    for (const one of converted) to.prune(one);
    let next = 0;
    return objects.map((one) => (one.apiVersion === apiVersion ? one : (converted[next++] ?? one)));
  }

  async #askWebhook(
    objects: readonly Resource[],
    desiredAPIVersion: string,
    signal: AbortSignal,
  ): Promise<readonly Resource[]> {
    const { clientConfig = {}, conversionReviewVersions = [] } = this.#parts.strategy?.webhook ?? {};
    const request = { uid: randomUUID(), desiredAPIVersion, objects };
    try {
      const { version, review } = conversionReview(conversionReviewVersions, request);
      const answer = await this.#call(clientConfig, review, signal).catch((error: unknown) => {
        throw new Error(`conversion webhook for ${kindText(objects[0])} failed: ${messageOf(error)}`, { cause: error });
      });
      return structuredClone(convertedObjects(answer, version, request));
    } catch (error) {
      signal.throwIfAborted();
      throw new ConversionFailure(error);
    }
  }

  async #call(config: Parameters<typeof webhookTarget>[0], review: object, signal: AbortSignal): Promise<unknown> {
    const target = await webhookTarget(config, this.#parts.objects, signal);
    try {
      return await this.#parts.callWebhook(target, review, webhookTimeoutMs, signal);
    } catch (error) {
      throw new Error(`Post "${target.url.href}": ${messageOf(error)}`, { cause: error });
    }
  }

  #kindOf({ apiVersion }: Resource): CustomKind | undefined {
    return this.#parts.kinds.find((kind) => apiVersionOf(kind) === apiVersion);
  }
}

/** An error that upstream's handlers give no reason. */
class ConversionFailure extends ApiError {
  constructor(cause: unknown) {
    super('InternalError', messageOf(cause), undefined, cause);
  }

  override toStatus(): Status {
    const { reason: _, ...status } = super.toStatus();
    return status;
  }
}
