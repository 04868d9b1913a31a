/** What a socket's clients may do beyond their project. */
export const allowances = ['build', 'host-mounts', 'host-namespaces', 'privileged'] as const;

export type Allowance = (typeof allowances)[number];

/** Who the clients of a socket are. */
export type Role =
  | { readonly kind: 'admin' }
  /** Sees everything but secrets, and changes nothing. */
  | { readonly kind: 'read-only' }
  /** Sees and changes what belongs to one project, by the label of compose. */
  | { readonly kind: 'project'; readonly project: string; readonly allows: readonly Allowance[] };

export type ProjectRole = Role & { readonly kind: 'project' };

/** The label by which compose, and we, tell whose a container, network or volume is. */
export const projectLabel = 'com.docker.compose.project';
