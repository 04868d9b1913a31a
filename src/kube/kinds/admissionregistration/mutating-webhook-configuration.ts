import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { MutatingWebhookConfiguration } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setWebhookDefaults } from './webhook-defaults.ts';
import { webhookFaults } from './webhook-rules.ts';

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  needsRevision: true,
  scope: 'Cluster',
  columns: [
    nameColumn,
    count('Webhooks', 'How many webhooks there are.', ({ webhooks }) => (webhooks ?? []).length),
    ageColumn,
  ],
  generationOf: ['webhooks'],
  setDefaults,
  validate: ({ webhooks = [] }) => webhookFaults(webhooks),
});

function setDefaults({ webhooks }: MutatingWebhookConfiguration): void {
  for (const webhook of webhooks ?? []) {
    setWebhookDefaults(webhook);
    webhook.reinvocationPolicy ??= 'Never';
  }
}
