import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };

const rest: readonly FaultRow[] = [
  {
    kind: 'APIService',
    is: 'of another name',
    object: specOf({ group: 'g.io', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 }),
    faults: ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.g.io"'],
  },
  {
    kind: 'ValidatingWebhookConfiguration',
    is: 'wrong in all',
    object: {
      webhooks: [
        {
          name: 'a',
          clientConfig: { url: 'http://x' },
          rules: [{ operations: ['LOOK'], apiGroups: ['*', 'a'], apiVersions: ['v1'], resources: [] }],
          timeoutSeconds: 60,
        },
      ],
    },
    faults: [
      'webhooks[0].name: Invalid value: "a": should be a domain with at least three segments separated by dots',
      `webhooks[0].rules[0].apiGroups: Invalid value: ["*","a"]: if '*' is present, must not specify other API groups`,
      'webhooks[0].rules[0].resources: Required value',
      'webhooks[0].rules[0].operations[0]: Unsupported value: "LOOK": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
      'webhooks[0].timeoutSeconds: Invalid value: 60: the timeout value must be between 1 and 30 seconds',
      'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
      `webhooks[0].clientConfig.url: Invalid value: "http://x": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
    ],
  },
  {
    kind: 'MutatingWebhookConfiguration',
    is: 'fine',
    object: {
      webhooks: [
        {
          name: 'a.b.c',
          clientConfig: { service: { name: 's', namespace: 'n' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
    faults: [],
  },
  {
    kind: 'ValidatingAdmissionPolicy',
    is: 'empty',
    object: {},
    faults: [
      'spec.matchConstraints: Required value',
      'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
    ],
  },
  {
    kind: 'ValidatingAdmissionPolicyBinding',
    is: 'contradicting itself',
    object: specOf({ policyName: 'p', paramRef: {}, validationActions: ['Deny', 'Warn'] }),
    faults: [
      'spec.paramRef: Required value: one of name or selector must be specified',
      'spec.paramRef.parameterNotFoundAction: Required value',
      'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
  },
  {
    kind: 'FlowSchema',
    is: 'of no level',
    object: specOf({ rules: [{}] }),
    faults: [
      'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
      'spec.rules[0].subjects: Required value: subjects must contain at least one value',
    ],
  },
  {
    kind: 'PriorityLevelConfiguration',
    is: 'without limits',
    object: specOf({ type: 'Limited' }),
    faults: ['spec.limited: Required value: must not be empty when type is Limited'],
  },
  {
    kind: 'VolumeAttachment',
    is: 'empty',
    object: {},
    faults: [
      'spec.attacher: Required value',
      'spec.nodeName: Required value',
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
  },
  {
    kind: 'VolumeAttributesClass',
    is: 'empty',
    object: {},
    faults: ['driverName: Required value', 'parameters: Required value: must contain at least one key/value pair'],
  },
  {
    kind: 'CSIDriver',
    is: 'wrong in words',
    object: specOf({ fsGroupPolicy: 'X' }),
    faults: ['spec.fsGroupPolicy: Unsupported value: "X": supported values: "File", "None", "ReadWriteOnceWithFSType"'],
  },
  {
    kind: 'CSIStorageCapacity',
    is: 'negative',
    object: { storageClassName: 'a', capacity: '-1' },
    faults: ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
  },
  {
    kind: 'PodTemplate',
    is: 'with ephemeral containers',
    object: { template: { spec: { ...template.spec, ephemeralContainers: [{ name: 'e', image: 'i' }] } } },
    faults: ['template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template'],
  },
];

testFaults('extensions of the API', rest);
