/** An unpacked folder, which the builder never writes into, or an image by its name. */
export type NamedContext =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'image'; readonly name: string };
