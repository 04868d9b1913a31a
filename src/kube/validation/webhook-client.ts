import type { WebhookClientConfig } from '../types/gen/admissionregistration-v1.ts';
import { invalid, invalids, required } from './faults.ts';
import { portFaults } from './names.ts';
import type { Faults } from './object-meta.ts';

/** What is wrong with where a webhook is said to listen (apiserver, util/webhook/validation.go). */
export function* webhookClientFaults({ url, service }: WebhookClientConfig = {}, path: string): Faults {
  if ((url === undefined) === (service === undefined)) {
    yield required(path, 'exactly one of url or service is required');
    return;
  }
  if (url !== undefined) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || parsed.protocol !== 'https:')
      yield invalid(`${path}.url`, url, "'https' is the only allowed URL scheme; desired format: https://host[/path]");
    if (parsed !== undefined && (parsed.username !== '' || parsed.password !== ''))
      yield invalid(`${path}.url`, url, 'user information is not permitted in the URL');
    if (parsed !== undefined && (parsed.search !== '' || parsed.hash !== ''))
      yield invalid(`${path}.url`, url, 'query parameters and fragments are not permitted in the URL');
  }
  if (service === undefined) return;
  if ((service.name ?? '') === '') yield required(`${path}.service.name`, 'service name is required');
  if ((service.namespace ?? '') === '') yield required(`${path}.service.namespace`, 'service namespace is required');
  yield* invalids(`${path}.service.port`, service.port ?? 0, portFaults(service.port ?? 0));
}
