import type { Snapshots } from '../snapshots/snapshots.ts';

/** What the images need of the snapshots: the committed layers. */
export type LayerStore = Pick<Snapshots, 'layer' | 'layers' | 'unpack' | 'group' | 'pack' | 'removeLayer'>;
