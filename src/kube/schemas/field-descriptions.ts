/** What fields that most kinds have are, in our words, for `kubectl explain`. Others have their names and types alone. */
const ofKinds: Readonly<Record<string, string>> = {
  apiVersion: 'Group and version of the schema that the object is written by, such as apps/v1.',
  kind: 'What the object is, such as Deployment.',
  metadata: 'Name, namespace, labels and what else is known about the object itself.',
  spec: 'What is wanted.',
  status: 'What was seen last; written by the system.',
  items: 'The objects of the list.',
  data: 'Values by their names.',
};

const ofMetadata: Readonly<Record<string, string>> = {
  annotations: 'Texts for tools, by names that may have a domain as prefix. Objects cannot be selected by them.',
  creationTimestamp: 'When the object was stored first; set by the server.',
  deletionGracePeriodSeconds: 'Seconds that the object gets to end before it is removed; set when it is deleted.',
  deletionTimestamp: 'When the object shall be gone; set when it is deleted while something still holds it.',
  finalizers: 'Names of what must be done before the object is removed; each is taken away by who did it.',
  generateName: 'Start of a name that the server completes, where none is given.',
  generation: 'Counts the changes of what is wanted.',
  labels: 'Texts by which objects are selected and grouped.',
  managedFields: 'Who set which fields; kept by the server for server-side apply.',
  name: 'Unique among objects of one kind and namespace; cannot be changed.',
  namespace: 'The namespace of the object; cannot be changed.',
  ownerReferences: 'Objects that this one belongs to: it is removed when none of them is left.',
  resourceVersion: 'Changes with each write; for watches and for writes that must not overwrite others.',
  uid: 'Unique among all objects that ever were.',
};

/** Undefined: there is none. `isKind`: the type has apiVersion and kind; `key`: its Go package and name. */
export function fieldDescription(key: string, isKind: boolean, field: string): string | undefined {
  const table = key === 'meta/v1.ObjectMeta' ? ofMetadata : isKind ? ofKinds : {};
  return Object.hasOwn(table, field) ? table[field] : undefined;
}
