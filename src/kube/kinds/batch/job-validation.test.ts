import { type FaultRow, specOf, testFaults } from '#kit/kube/fault-rows.ts';

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'a', image: 'i' }] } };
const jobTemplate = { spec: { containers: [{ name: 'a', image: 'i' }], restartPolicy: 'Never' } };

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
      `metadata.name: Invalid value: "${'n'.repeat(53)}": must be no more than 52 characters`,
      'spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]',
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
      'spec.concurrencyPolicy: Unsupported value: "X": supported values: "Allow", "Forbid", "Replace"',
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
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
