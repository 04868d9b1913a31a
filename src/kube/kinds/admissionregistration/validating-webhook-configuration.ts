import { ageColumn, count, nameColumn } from '../../printing/columns.ts';
import type { ValidatingWebhookConfiguration } from '../../types/gen/admissionregistration-v1.ts';
import { defineKind } from '../define-kind.ts';

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  scope: 'Cluster',
  columns: [
    nameColumn,
    count('Webhooks', 'How many webhooks there are.', ({ webhooks }) => (webhooks ?? []).length),
    ageColumn,
  ],
  generationOf: ['webhooks'],
});
