import type {
  MutatingWebhook,
  RuleWithOperations,
  ValidatingWebhook,
} from '../../types/gen/admissionregistration-v1.ts';
import { duplicate, invalid, invalids, notSupported, required } from '../../validation/faults.ts';
import { subdomainFaults } from '../../validation/names.ts';
import type { Faults } from '../../validation/object-meta.ts';
import { selectorFaults } from '../../validation/selectors.ts';
import { choiceFaults } from '../../validation/values.ts';
import { webhookClientFaults } from '../../validation/webhook-client.ts';

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const timeoutSecondsMost = 30;

/** What is wrong with webhooks (admissionregistration/validation). */
export function* webhookFaults(webhooks: readonly (MutatingWebhook | ValidatingWebhook)[]): Faults {
  const names = new Set<string>();
  for (const [index, webhook] of webhooks.entries()) {
    const at = `webhooks[${String(index)}]`;
    const { name = '' } = webhook;
    if (name === '') yield required(`${at}.name`);
    else {
      yield* invalids(`${at}.name`, name, subdomainFaults(name));
      if (name.split('.').length < 3)
        yield invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots');
    }
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    yield* oneFaults(webhook, at);
  }
}

function* oneFaults(webhook: MutatingWebhook | ValidatingWebhook, path: string): Faults {
  for (const [index, rule] of (webhook.rules ?? []).entries())
    yield* ruleFaults(rule, `${path}.rules[${String(index)}]`);
  yield* choiceFaults(`${path}.failurePolicy`, webhook.failurePolicy, ['Fail', 'Ignore']);
  yield* choiceFaults(`${path}.matchPolicy`, webhook.matchPolicy, ['Equivalent', 'Exact']);
  if (webhook.sideEffects === undefined)
    yield required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun');
  else yield* choiceFaults(`${path}.sideEffects`, webhook.sideEffects, ['None', 'NoneOnDryRun']);
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > timeoutSecondsMost))
    yield invalid(`${path}.timeoutSeconds`, seconds, 'the timeout value must be between 1 and 30 seconds');
  yield* selectorFaults(webhook.namespaceSelector, `${path}.namespaceSelector`);
  yield* selectorFaults(webhook.objectSelector, `${path}.objectSelector`);
  const versions = webhook.admissionReviewVersions ?? [];
  if (versions.length === 0) yield required(`${path}.admissionReviewVersions`, 'must specify one of v1, v1beta1');
  else if (!versions.includes('v1') && !versions.includes('v1beta1'))
    yield invalid(`${path}.admissionReviewVersions`, versions, 'must include at least one of v1, v1beta1');
  if ('reinvocationPolicy' in webhook)
    yield* choiceFaults(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']);
  yield* webhookClientFaults(webhook.clientConfig, `${path}.clientConfig`);
}

function* ruleFaults(rule: RuleWithOperations, path: string): Faults {
  const lists = {
    apiGroups: rule.apiGroups,
    apiVersions: rule.apiVersions,
    resources: rule.resources,
    operations: rule.operations,
  };
  for (const [field, values = []] of Object.entries(lists)) {
    if (values.length === 0) yield required(`${path}.${field}`);
    if (field === 'operations') {
      for (const [index, operation] of values.entries())
        if (!operations.includes(operation))
          yield notSupported(`${path}.operations[${String(index)}]`, operation, operations);
    } else if (field === 'apiVersions' && values.includes(''))
      yield required(`${path}.${field}[${String(values.indexOf(''))}]`);
    const isMixed = values.length > 1 && values.includes('*') && field !== 'resources';
    if (isMixed)
      yield invalid(
        `${path}.${field}`,
        values,
        "if '*' is present, must not specify other " + shown[field as keyof typeof shown],
      );
  }
  const resources = rule.resources ?? [];
  if (resources.includes('')) yield required(`${path}.resources[${String(resources.indexOf(''))}]`);
  if (resources.length > 1 && resources.includes('*/*'))
    yield invalid(`${path}.resources`, resources, "if '*/*' is present, must not specify other resources");
  yield* choiceFaults(`${path}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced']);
}

const shown = {
  apiGroups: 'API groups',
  apiVersions: 'API versions',
  operations: 'operations',
  resources: 'resources',
} as const;

/** Rules of policies, too: they match some resources. */
export function* matchFaults(rules: readonly RuleWithOperations[], path: string): Faults {
  for (const [index, rule] of rules.entries()) yield* ruleFaults(rule, `${path}[${String(index)}]`);
}
