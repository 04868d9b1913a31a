import { sleep } from '#base/clock.ts';
import { reasonOf, StatusError } from '#base/errors.ts';
import { defaultDomain } from '#formats/reference.ts';
import { parseChallenges } from '#formats/www-authenticate.ts';
import type { Challenge } from '#formats/www-authenticate.ts';
import { hasCode } from '#sys/errno.ts';
import type { RegistryAuth } from '../images.ts';
import { isLoopback } from './http-transport.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http-transport.ts';
import { discardBody, readBody } from './read-body.ts';
import { parseErrorBody, RegistryRefusal } from './registry-error.ts';
import { basicAuthorization, fetchToken, hasPassword } from './token-source.ts';

export interface RegistrySessionOptions {
  readonly transport: HttpTransport;
  readonly domain: string;
  readonly auth: RegistryAuth | undefined;
  /** Domains that may be spoken to without TLS or with any certificate, besides loopback. */
  readonly insecureRegistries: readonly string[];
  /** For a login: ask token servers for an identity token. */
  readonly wantsIdentity?: boolean;
  /** Of a mirror: where it is, with or without TLS as the address says. */
  readonly mirror?: URL;
  /** First wait before a request is sent again; doubled each time. */
  readonly retryDelayMs: number;
}

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below the registry's root, such as `/v2/library/debian/tags/list`, or a whole URL that the registry gave. */
  readonly target: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpRequest['body'];
  /** What a token must allow, such as `repository:library/debian:pull`. */
  readonly scopes: readonly string[];
  /** Statuses that are an answer; any other is thrown as RegistryRefusal. */
  readonly expected: readonly number[];
}

/** The default domain's registry is not at the default domain. */
const defaultDomainHost = 'registry-1.docker.io';
const attemptsMost = 5;
/** There is somebody else to ask then. */
const mirrorAttemptsMost = 2;
const redirectsMost = 5;
const errorBodyBytesMost = 65_536;
const retryDelayMostMs = 30_000;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Talks to one registry for one operation with one set of credentials: finds out whether it speaks TLS, answers its
 * challenges, follows redirects without telling other hosts the credentials, and tries again a bounded number of times.
 */
export class RegistrySession {
  readonly domain: string;
  readonly #options: RegistrySessionOptions;
  readonly #authorizations = new Map<string, string>();
  #root: Promise<URL> | undefined;
  #identityToken: string | undefined;

  constructor(options: RegistrySessionOptions) {
    this.domain = options.domain;
    this.#options = options;
  }

  get hasCredentials(): boolean {
    const { auth } = this.#options;
    return (
      hasPassword(auth) || [auth?.identityToken, auth?.registryToken].some((one) => one !== undefined && one !== '')
    );
  }

  /** What a token server gave to be shown in the place of the password. */
  get identityToken(): string | undefined {
    return this.#identityToken;
  }

  /** Sends a request; one whose body is a stream is sent once only. Throws RegistryRefusal or StatusError. */
  async request(request: RegistryRequest, signal: AbortSignal): Promise<HttpResponse> {
    const most = this.#options.mirror === undefined ? attemptsMost : mirrorAttemptsMost;
    const once = request.body !== undefined && !(request.body instanceof Uint8Array);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(request, signal);
      } catch (error) {
        if (once) throw error;
        if (attempt >= most || !isPassing(error)) throw final(error);
        await this.pause(attempt, signal);
      }
    }
  }

  /** Waits before attempt number `attempt` + 1. */
  async pause(attempt: number, signal: AbortSignal): Promise<void> {
    await sleep(Math.min(this.#options.retryDelayMs * 2 ** (attempt - 1), retryDelayMostMs), signal);
  }

  /** An absolute URL for what a Location field says. */
  resolve(location: string, base: URL): URL {
    if (URL.canParse(location, base.href)) return new URL(location, base);
    throw new StatusError('Damaged', `Cannot follow registry "${this.domain}": it names no valid location`);
  }

  /** The address of the registry. */
  async root(signal: AbortSignal): Promise<URL> {
    this.#root ??= this.#findRoot(signal);
    try {
      return await this.#root;
    } catch (error) {
      this.#root = undefined;
      throw error;
    }
  }

  async #attempt(request: RegistryRequest, signal: AbortSignal): Promise<HttpResponse> {
    const root = await this.root(signal);
    const url = typeof request.target === 'string' ? new URL(request.target, root) : request.target;
    // What mirrors of several registries go by (containerd, docs/hosts.md).
    if (this.#options.mirror !== undefined && url.origin === root.origin) url.searchParams.set('ns', this.domain);
    const key = request.scopes.join(' ');
    const first = await this.#follow(request, url, this.#authorizations.get(key), signal);
    const challenges = first.status === 401 ? parseChallenges(first.headers['www-authenticate'] ?? '') : [];
    const authorization = challenges.length === 0 ? undefined : await this.#authorize(challenges, request, signal);
    if (authorization === undefined) return await accept(request, url, first);
    await discardBody(first);
    this.#authorizations.set(key, authorization);
    // A stream was begun: what is left of it is not the body, so its sender must start over with the authorization.
    if (request.body !== undefined && !(request.body instanceof Uint8Array)) return await accept(request, url, first);
    return await accept(request, url, await this.#follow(request, url, authorization, signal));
  }

  /** Sends and follows redirects of GET and HEAD. */
  async #follow(
    { method, headers = {}, body }: RegistryRequest,
    start: URL,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const root = await this.root(signal);
    let url = start;
    for (let hop = 0; ; hop += 1) {
      // Whoever is redirected to is a stranger: only the registry itself is shown who we are.
      const shown = authorization !== undefined && url.origin === root.origin ? { authorization } : {};
      const response = await this.#options.transport.send(
        {
          method,
          url,
          headers: { 'user-agent': 'slipway', ...headers, ...shown },
          ...(body === undefined ? {} : { body }),
          anyCertificate: url.origin === root.origin && this.#isInsecure(),
        },
        signal,
      );
      const location = response.headers.location;
      const isRedirect = redirects.includes(response.status) && ['GET', 'HEAD'].includes(method);
      if (!isRedirect || location === undefined) return response;
      await discardBody(response);
      if (hop >= redirectsMost) throw new StatusError('Unavailable', `Cannot follow ${start.host}: too many redirects`);
      const next = this.resolve(location, url);
      if (next.protocol !== 'https:' && url.protocol === 'https:') {
        throw new StatusError('Forbidden', `Cannot follow ${start.host}: it redirects to ${next.host} without TLS`);
      }
      url = next;
    }
  }

  async #authorize(
    challenges: readonly Challenge[],
    { scopes }: RegistryRequest,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { auth, transport } = this.#options;
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) {
      if (auth?.registryToken !== undefined && auth.registryToken !== '') return `Bearer ${auth.registryToken}`;
      const plainAllowed = (await this.root(signal)).protocol === 'http:';
      const wantsIdentity = this.#options.wantsIdentity === true;
      const request = { challenge: bearer, scopes, auth, plainAllowed, wantsIdentity };
      const { token, identityToken } = await fetchToken(transport, request, signal);
      this.#identityToken = identityToken;
      return `Bearer ${token}`;
    }
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    return basic && auth !== undefined && hasPassword(auth) ? basicAuthorization(auth) : undefined;
  }

  /** TLS, or for loopback and registries declared insecure whatever answers, TLS first. */
  async #findRoot(signal: AbortSignal): Promise<URL> {
    const { domain, mirror } = this.#options;
    if (mirror !== undefined) return new URL(mirror.origin);
    const host = domain === defaultDomain ? defaultDomainHost : domain;
    const secure = new URL(`https://${host}`);
    if (!this.#isInsecure()) return secure;
    try {
      const request = { method: 'GET', url: new URL('/v2/', secure), headers: {}, anyCertificate: true } as const;
      await discardBody(await this.#options.transport.send(request, signal));
      return secure;
    } catch (error) {
      if (reasonOf(error) !== 'Unavailable') throw error;
      return new URL(`http://${host}`);
    }
  }

  #isInsecure(): boolean {
    const { mirror, insecureRegistries } = this.#options;
    const domain = mirror?.host ?? this.#options.domain;
    return insecureRegistries.includes(domain) || isLoopback(new URL(`https://${domain}`).hostname);
  }
}

async function accept(request: RegistryRequest, url: URL, response: HttpResponse): Promise<HttpResponse> {
  if (request.expected.includes(response.status)) return response;
  const body = await readBody(response, errorBodyBytesMost, `the error of ${url.host}`).catch((error: unknown) => {
    if (reasonOf(error) === 'TooLarge') return new Uint8Array();
    throw error;
  });
  const { host, pathname: path } = url;
  throw new RegistryRefusal({
    status: response.status,
    host,
    path,
    method: request.method,
    ...parseErrorBody(body),
  });
}

/** Whether trying again can help: the registry is overloaded or ill, or a connection broke. */
export function isPassing(error: unknown): boolean {
  if (error instanceof RegistryRefusal) return error.refusal.status >= 500 || error.refusal.status === 429;
  if (!(error instanceof StatusError) || error.reason !== 'Unavailable') return false;
  return hasCode(error.cause, 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'ETIMEDOUT');
}

/** A refusal that its caller could only pass on is made the caller's error. */
function final(error: unknown): unknown {
  return error instanceof RegistryRefusal && isPassing(error) ? error.toStatusError() : error;
}
