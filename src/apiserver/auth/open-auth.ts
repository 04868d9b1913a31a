import { createPublicKey, type KeyObject } from 'node:crypto';

import type { Resource } from '#kube/resource.ts';

import type { Credentials } from './authenticator.ts';
import { anonymousAuthenticator, authenticatorChain, healthPaths } from './authn/authenticator-chain.ts';
import { bearerTokens, type TokenAuthenticator } from './authn/bearer-token.ts';
import { bootstrapTokens } from './authn/bootstrap-tokens.ts';
import { clientCertificates } from './authn/client-certificate.ts';
import { impersonated } from './authn/impersonation.ts';
import { authorizerChain, mastersAuthorizer } from './authorizer-chain.ts';
import type { Authorizer } from './authorizer.ts';
import { followGraph } from './node/follow-graph.ts';
import { nodeAuthorizer } from './node/node-authorizer.ts';
import { NodeGraph } from './node/node-graph.ts';
import type { Objects } from './objects.ts';
import { followRbac } from './rbac/follow-rbac.ts';
import { rbacAuthorizer } from './rbac/rbac-authorizer.ts';
import { RbacIndex } from './rbac/rbac-index.ts';
import { reconcileDefaults } from './rbac/reconcile-defaults.ts';
import { runAggregation } from './rbac/role-aggregation.ts';
import { reviewLocalSubject, reviewSelf, reviewSubject } from './reviews/access-review.ts';
import { reviewIdentity, reviewToken } from './reviews/identity-review.ts';
import { reviewRules } from './reviews/rules-review.ts';
import { discoveryDocument, discoveryPath, keysPath } from './tokens/discovery-document.ts';
import { jsonWebKeys } from './tokens/json-web-token.ts';
import { secretTokens } from './tokens/secret-tokens.ts';
import { serviceAccountTokens } from './tokens/service-account-tokens.ts';
import { createToken } from './tokens/token-request.ts';
import type { UserInfo } from './user.ts';

export interface AuthOptions {
  readonly objects: Objects;
  /** DER of the authorities whose client certificates are taken. */
  readonly authorities: readonly Uint8Array[];
  /** Signs service-account tokens. */
  readonly serviceAccountKey: KeyObject;
  /** Issuer of tokens, which is also the audience of the server itself. */
  readonly issuer: string;
  /** Where others reach the server, such as https://10.0.0.1:6443. */
  readonly serverUrl: string;
  readonly nowMs: () => number;
  /** Told of what goes wrong in the background. */
  readonly onError: (error: unknown) => void;
}

/** Who sent a request, and for whom he acts. */
export interface Identity {
  readonly user: UserInfo;
  /** Who proved himself; another than `user` when he impersonates. */
  readonly actor: UserInfo;
}

export interface Identifying extends Credentials {
  /** Told who proved himself, before it is known whether he may impersonate. */
  readonly onActor?: (actor: UserInfo) => void;
}

/** Authentication, authorization and the reviews about both. */
export interface Auth {
  /** Throws ApiError Unauthorized, and Forbidden or BadRequest for impersonation. */
  identify(credentials: Identifying, signal: AbortSignal): Promise<Identity>;
  readonly authorizer: Authorizer;
  readonly rbac: RbacIndex;
  /**
   * Answers a create of a review kind (authentication.k8s.io, authorization.k8s.io); undefined for other kinds. `namespace`
   * is that of the path.
   */
  review(review: Resource, namespace: string, user: UserInfo, signal: AbortSignal): Promise<Resource | undefined>;
  /** Answers a TokenRequest of a service account. */
  createToken(account: AccountName, request: Resource, signal: AbortSignal): Promise<Resource>;
  /** The JSON document at a path of OpenID Connect discovery; undefined for other paths. */
  document(path: string): object | undefined;
  /**
   * Fills the indexes from the store, then makes the default roles and keeps all of it up to date until the signal aborts.
   * Before it resolves only masters are allowed anything for sure.
   */
  start(signal: AbortSignal): Promise<void>;
}

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

export function openAuth(options: AuthOptions): Auth {
  const { objects, issuer, serviceAccountKey, nowMs, onError } = options;
  const [rbac, graph] = [new RbacIndex(), new NodeGraph()];
  const authorizer = authorizerChain([mastersAuthorizer(), nodeAuthorizer(graph), rbacAuthorizer(rbac)]);
  const audiences = [issuer];
  const publicKeys = [createPublicKey(serviceAccountKey)];
  const tokens = [
    bootstrapTokens(objects, nowMs),
    serviceAccountTokens(issuer, publicKeys, objects, nowMs),
    secretTokens(publicKeys, audiences, objects),
  ];
  const authenticator = authenticatorChain(
    [clientCertificates(options.authorities, nowMs), bearerTokens(tokens, audiences)],
    anonymousAuthenticator(healthPaths),
  );
  return {
    identify: async (credentials, signal) => {
      const { user: actor } = await authenticator.authenticate(credentials, signal);
      credentials.onActor?.(actor);
      return { user: impersonated(actor, credentials.headers, authorizer), actor };
    },
    authorizer,
    rbac,
    review: async (review, namespace, user, signal) =>
      await answerReview(review, namespace, user, { authorizer, rbac, tokens, audiences }, signal),
    createToken: async (account, request, signal) =>
      await createToken({ issuer, audiences, key: serviceAccountKey, nowMs }, objects, account, request, signal),
    document: (path) => {
      if (path === discoveryPath) return discoveryDocument(issuer, options.serverUrl, publicKeys);
      return path === keysPath ? jsonWebKeys(publicKeys) : undefined;
    },
    start: async (signal) => {
      await Promise.all([followRbac(objects, rbac, onError, signal), followGraph(objects, graph, onError, signal)]);
      await reconcileDefaults(objects, signal);
      runAggregation(objects, onError, signal).catch((error: unknown) => (signal.aborted ? undefined : onError(error)));
    },
  };
}

interface Answering {
  readonly authorizer: Authorizer;
  readonly rbac: RbacIndex;
  readonly tokens: readonly TokenAuthenticator[];
  readonly audiences: readonly string[];
}

async function answerReview(
  review: Resource,
  namespace: string,
  user: UserInfo,
  { authorizer, rbac, tokens, audiences }: Answering,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  switch (`${review.apiVersion} ${review.kind}`) {
    case 'authorization.k8s.io/v1 SubjectAccessReview':
      return reviewSubject(review, authorizer);
    case 'authorization.k8s.io/v1 LocalSubjectAccessReview':
      return reviewLocalSubject(review, namespace, authorizer);
    case 'authorization.k8s.io/v1 SelfSubjectAccessReview':
      return reviewSelf(review, user, authorizer);
    case 'authorization.k8s.io/v1 SelfSubjectRulesReview':
      return reviewRules(review, user, rbac);
    case 'authentication.k8s.io/v1 SelfSubjectReview':
      return reviewIdentity(review, user);
    case 'authentication.k8s.io/v1 TokenReview':
      return await reviewToken(review, tokens, audiences, signal);
    default:
      return undefined;
  }
}
