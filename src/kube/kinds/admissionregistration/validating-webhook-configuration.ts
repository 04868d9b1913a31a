import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { ValidatingWebhookConfiguration } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';
import { setWebhookDefaults } from './webhook-defaults.ts';
import { webhookFaults } from './webhook-rules.ts';

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
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

function setDefaults({ webhooks }: ValidatingWebhookConfiguration): void {
  for (const webhook of webhooks ?? []) setWebhookDefaults(webhook);
}
