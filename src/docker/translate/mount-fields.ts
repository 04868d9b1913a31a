import type { Partially } from '../http/decode.ts';
import { flag, integer, listOf, mapOf, objectOf, text } from '../http/decode.ts';

/** One entry of HostConfig.Mounts, API 1.54. */
export const mountFields = {
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: text,
  BindOptions: objectOf({
    Propagation: text,
    NonRecursive: flag,
    CreateMountpoint: flag,
    ReadOnlyNonRecursive: flag,
    ReadOnlyForceRecursive: flag,
  }),
  VolumeOptions: objectOf({
    NoCopy: flag,
    Labels: mapOf(text, ''),
    Subpath: text,
    DriverConfig: objectOf({ Name: text, Options: mapOf(text, '') }),
  }),
  ImageOptions: objectOf({ Subpath: text }),
  TmpfsOptions: objectOf({ SizeBytes: integer, Mode: integer, Options: listOf(listOf(text)) }),
  ClusterOptions: objectOf({}),
};

export type MountConfig = Partially<typeof mountFields>;
