import type { Column } from '../kind.ts';
import type { Resource } from '../resource.ts';
import type { PodSpec } from '../types/gen/core-v1.ts';
import { text, wide } from './columns.ts';

/** The columns `Containers` and `Images` of what has a pod template. */
export function templateColumns<R extends Resource>(specOf: (object: R) => PodSpec | undefined): readonly Column<R>[] {
  return containerColumns(specOf).map(wide);
}

/** The same, shown always. */
export function containerColumns<R extends Resource>(specOf: (object: R) => PodSpec | undefined): readonly Column<R>[] {
  const names = (field: 'name' | 'image') => (object: R) =>
    (specOf(object)?.containers ?? []).map((container) => container[field] ?? '').join(',');
  return [
    text('Containers', 'Names of the containers of the template.', names('name')),
    text('Images', 'Images of the containers of the template.', names('image')),
  ];
}
