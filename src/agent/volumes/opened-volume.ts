/** Where a pod's volume is, as its containers can mount it. */
export type OpenedVolume =
  | {
      readonly kind: 'folder';
      /** Absolute; a file where a hostPath is one. */
      readonly path: string;
      /** Its containers cannot write to it whatever they say. */
      readonly readOnly: boolean;
    }
  | {
      readonly kind: 'engine';
      /** Name of the engine's volume. */
      readonly name: string;
      readonly readOnly: boolean;
    };
