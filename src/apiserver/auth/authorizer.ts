import type { UserInfo } from './user.ts';

/** What somebody wants to do (authorization/v1 ResourceAttributes and NonResourceAttributes). */
export type Attributes = ResourceAttributes | PathAttributes;

export interface ResourceAttributes {
  readonly type: 'resource';
  readonly user: UserInfo;
  /** get, list, watch, create, update, patch, delete, deletecollection; or one of those that only rules know: bind, escalate. */
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Empty: the resource itself. */
  readonly subresource: string;
  /** Empty: cluster-wide. */
  readonly namespace: string;
  /** Empty: all, or not known yet. A list or watch whose field selector fixes metadata.name has that name. */
  readonly name: string;
  /** Fields that the selector of a list, watch or deletecollection fixes to one value, such as spec.nodeName of Pods. */
  readonly fields?: Readonly<Record<string, string>>;
}

export interface PathAttributes {
  readonly type: 'path';
  readonly user: UserInfo;
  /** HTTP method in lower case. */
  readonly verb: string;
  readonly path: string;
}

export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'no-opinion';
  /** Why, in upstream's words; may be empty. */
  readonly reason: string;
}

/** Decides at once, from what it keeps in memory. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
}
