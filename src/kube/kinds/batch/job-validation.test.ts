import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };
const jobTemplate = { spec: { containers: [{ name: 'a', image: 'i' }], restartPolicy: 'Never' } };

const indexedOf = (completions: number, parallelism: number) => {
  const labels = { app: 'x' };
  const selector = { manualSelector: true, selector: { matchLabels: labels } };
  return specOf({
    ...selector,
    template: { metadata: { labels }, ...jobTemplate },
    completionMode: 'Indexed',
    completions,
    parallelism,
  });
};

const jobs: readonly FaultRow[] = [
  { kind: 'Job', is: 'fine', object: specOf({ template: jobTemplate }), faults: [] },
  {
    kind: 'Job',
    is: 'of pods that restart',
    object: specOf({ template }),
    faults: ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
  },
  {
    kind: 'Job',
    is: 'wrong in numbers',
    object: specOf({
      template: jobTemplate,
      completionMode: 'Indexed',
      parallelism: 200_000,
      backoffLimit: -1,
      ttlSecondsAfterFinished: -1,
    }),
    faults: [
      'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0',
      'spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0',
      'spec.completions: Required value: when completion mode is Indexed',
      'spec.parallelism: Invalid value: 200000: must be less than or equal to 100000 when completion mode is Indexed',
    ],
  },
  {
    kind: 'Job',
    is: 'selecting what it was not told to',
    object: specOf({ template: jobTemplate, selector: { matchLabels: { a: 'b' } } }),
    faults: [
      'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"u-1"}}: `selector` not auto-generated',
      'spec.template.metadata.labels: Invalid value: {"controller-uid":"u-1","batch.kubernetes.io/controller-uid":"u-1","job-name":"x","batch.kubernetes.io/job-name":"x"}: `selector` does not match template `labels`',
    ],
  },
  {
    kind: 'Job',
    is: 'wrong in what its failures mean',
    object: specOf({
      template: { spec: { ...jobTemplate.spec, restartPolicy: 'OnFailure' } },
      podReplacementPolicy: 'TerminatingOrFailed',
      podFailurePolicy: {
        rules: [
          {},
          { action: 'X', onExitCodes: { values: [] }, onPodConditions: [{ type: 'A b', status: 'X' }] },
          { action: 'FailIndex', onExitCodes: { containerName: 'b', operator: 'In', values: [3, 0, 0] } },
        ],
      },
    }),
    faults: [
      'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
      'spec.podFailurePolicy.rules[1].action: Unsupported value: "X": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
      'spec.podFailurePolicy.rules[1].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]',
      'spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: []: at least one value is required',
      `spec.podFailurePolicy.rules[1].onPodConditions[0].type: Invalid value: "A b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
      'spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: "X": supported values: "False", "True", "Unknown"',
      'spec.podFailurePolicy.rules[1]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported',
      'spec.podFailurePolicy.rules[2].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
      'spec.podFailurePolicy.rules[2].onExitCodes.containerName: Invalid value: "b": must be one of the container or initContainer names in the pod template',
      'spec.podFailurePolicy.rules[2].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
      'spec.podFailurePolicy.rules[2].onExitCodes.values[2]: Invalid value: 0: must not be 0 for the In operator',
      'spec.podFailurePolicy.rules[2].onExitCodes.values[2]: Duplicate value: 0',
      'spec.podFailurePolicy.rules[2].onExitCodes.values: Invalid value: [3,0,0]: must be ordered',
      'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
    ],
  },
  {
    kind: 'Job',
    is: 'wrong in when it succeeded',
    object: specOf({
      template: jobTemplate,
      completionMode: 'Indexed',
      completions: 5,
      successPolicy: {
        rules: [
          {},
          { succeededIndexes: '0,2-4', succeededCount: 6 },
          { succeededIndexes: '2-4-5' },
          { succeededIndexes: '3,2' },
          { succeededIndexes: '3-3' },
          { succeededIndexes: '1-5' },
          { succeededIndexes: 'x' },
          { succeededIndexes: '0,2-4', succeededCount: 4 },
        ],
      },
    }),
    faults: [
      'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
      'spec.successPolicy.rules[1].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)',
      'spec.successPolicy.rules[1].succeededCount: Invalid value: 6: must be less than or equal to 4 (the number of indexes in the specified succeededIndexes field)',
      `spec.successPolicy.rules[2].succeededIndexes: Invalid value: "2-4-5": error parsing succeededIndexes: the fragment "2-4-5" violates the requirement that an index interval can have at most two parts separated by '-'`,
      'spec.successPolicy.rules[3].succeededIndexes: Invalid value: "3,2": error parsing succeededIndexes: non-increasing order, previous: 3, current: 2',
      'spec.successPolicy.rules[4].succeededIndexes: Invalid value: "3-3": error parsing succeededIndexes: non-increasing order, previous: 3, current: 3',
      'spec.successPolicy.rules[5].succeededIndexes: Invalid value: "1-5": error parsing succeededIndexes: too large index: "5"',
      'spec.successPolicy.rules[6].succeededIndexes: Invalid value: "x": error parsing succeededIndexes: cannot convert string to integer for index: "x"',
    ],
  },
  {
    kind: 'Job',
    is: 'indexed beyond what is kept',
    object: {
      metadata: { name: 'n'.repeat(60) },
      ...specOf({
        template: jobTemplate,
        completionMode: 'Indexed',
        completions: 200_000,
        parallelism: 20_000,
        backoffLimitPerIndex: 1,
        managedBy: 'me',
      }),
    },
    faults: [
      'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 20000: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
      `metadata.name: Invalid value: "${'n'.repeat(60)}": will not able to create pod with invalid DNS label: ${'n'.repeat(60)}-199999`,
    ],
  },
  {
    kind: 'Job',
    is: 'not indexed, with what only indexed ones have',
    object: specOf({
      template: jobTemplate,
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 1,
      managedBy: `example.com/ ${'x'.repeat(60)}`,
      successPolicy: {},
    }),
    faults: [
      `spec.managedBy: Invalid value: " ${'x'.repeat(60)}": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
      'spec.managedBy: Too long: may not be more than 63 bytes',
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      'spec.successPolicy: Invalid value: {}: requires indexed completion mode',
    ],
  },
  {
    kind: 'Job',
    is: 'resized without its parallelism',
    old: indexedOf(5, 5),
    object: indexedOf(6, 5),
    faults: ['spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism'],
  },
  {
    kind: 'Job',
    is: 'resized with its parallelism',
    old: indexedOf(5, 5),
    object: indexedOf(6, 6),
    faults: [],
  },
  {
    kind: 'CronJob',
    is: 'wrong in all',
    object: {
      metadata: { name: 'n'.repeat(53) },
      ...specOf({
        schedule: '* *',
        timeZone: 'Mars/Base',
        concurrencyPolicy: 'X',
        jobTemplate: { spec: { template: jobTemplate, manualSelector: true } },
      }),
    },
    faults: [
      'spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]',
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
      'spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      `metadata.name: Invalid value: "${'n'.repeat(53)}": must be no more than 52 characters`,
    ],
  },
  {
    kind: 'CronJob',
    is: 'in a zone of its own',
    object: specOf({
      schedule: 'TZ=UTC * * * * *',
      timeZone: 'Local',
      jobTemplate: { spec: { template: jobTemplate } },
    }),
    faults: [
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
  },
  {
    kind: 'CronJob',
    is: 'fine',
    object: specOf({ schedule: '@daily', timeZone: 'Europe/Berlin', jobTemplate: { spec: { template: jobTemplate } } }),
    faults: [],
  },
];

testFaults('jobs', jobs);
