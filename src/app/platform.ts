import { join } from 'node:path';

import { monotonicMs, nowMs } from '#base/clock.ts';
import { StatusError } from '#base/errors.ts';
import { ConcurrencyLimit } from '#base/limit.ts';
import type { Logger } from '#base/logger.ts';
import type { Engine } from '#engine/engine.ts';
import type { RunningRegistry } from '#registry/serve-registry.ts';

import type { Config } from './config.ts';
import type {
  BootstrapLine,
  BootstrapRequest,
  ContainersFate,
  ExposureReport,
  StatusReport,
} from './control-protocol.ts';
import { linkDockerSocket, linkState, systemDockerSocket, unlinkDockerSocket } from './docker-socket-link.ts';
import { exposureReport } from './exposure.ts';
import type { InstancePaths } from './instance-paths.ts';
import type { Collector } from './planes/collection.ts';
import { PausedContainers } from './paused-containers.ts';
import type { Plane, Running } from './plane.ts';
import { slipwayVersion } from './version.ts';

export interface PlatformOptions {
  readonly config: Config;
  readonly paths: InstancePaths;
  readonly logger: Logger;
  /** For PATH and the proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The control socket was asked to end the daemon. */
  readonly onStop: () => void;
}

const stopsAtOnce = 8;
/** What is younger may belong to a push under way. */
const registryGraceMs = 60 * 60_000;

/**
 * The daemon's planes, started in order and closed in reverse. Containers outlive it. The control socket answers from
 * the first moment on, so that `up` can tell starting from dead.
 */
export class Platform implements AsyncDisposable {
  readonly #options: PlatformOptions;
  readonly #startedAtMs = nowMs();
  readonly #planes: { readonly name: string; readonly running: Running<unknown> }[] = [];
  readonly #owned = new AsyncDisposableStack();
  readonly #died = Promise.withResolvers<never>();
  #phase: 'starting' | 'serving' | 'stopping' = 'starting';
  #engine: Engine | undefined;
  #collector: Collector | undefined;
  readonly #paused: PausedContainers;
  #registry: RunningRegistry | undefined;
  #dockerSocket = '';

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#paused = new PausedContainers(join(options.paths.data, 'paused.json'), options.logger);
    this.#died.promise.catch(() => {});
  }

  /** Rejects when a plane dies. */
  get died(): Promise<never> {
    return this.#died.promise;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { config, paths, env } = this.#options;
    const { controlPlane } = await import('./planes/control.ts');
    await this.#start(
      controlPlane,
      undefined,
      {
        report: () => this.report(),
        exposure: () => this.#exposure(),
        stop: this.#stop,
        bootstrapImage: this.#bootstrapImage,
        engine: () => this.#running(),
        paused: this.#paused,
        collect: async (options, signal) => this.#serving(this.#collector).run(options, signal),
        reportRegistry: () => this.#runningRegistry().status(),
        collectRegistryGarbage: (untagged, either) =>
          this.#runningRegistry().collectGarbage({ untagged, graceMs: registryGraceMs }, either),
      },
      signal,
    );
    const { enginePlane, proxyOf } = await import('./planes/engine.ts');
    this.#engine = await this.#start(enginePlane, config.engine, { env }, signal);
    await this.#paused.resume(this.#engine.containers);
    const { collectionPlane } = await import('./planes/collection.ts');
    this.#collector = await this.#start(collectionPlane, config.gc, { engine: this.#engine }, signal);
    const { registryPlane } = await import('./planes/registry.ts');
    const { insecureRegistries } = config.engine;
    const certificatesPath = config.engine.certificatesPath || paths.certificates;
    const needs = { insecureRegistries, certificatesPath, proxy: proxyOf(config.engine, env) };
    this.#registry = await this.#start(registryPlane, config.registry, needs, signal);
    const { dockerPlane } = await import('./planes/docker.ts');
    this.#dockerSocket = config.docker.socket || paths.dockerSocket;
    await this.#start(dockerPlane, { ...config.docker, socket: this.#dockerSocket }, { engine: this.#engine }, signal);
    if (paths.instance === '') this.#linkSocket(this.#dockerSocket);
    const { apiserverPlane } = await import('./planes/apiserver.ts');
    await this.#start(apiserverPlane, config.kubernetes, { store: config.store, engine: this.#engine }, signal);
    this.#phase = 'serving';
  }

  report(): StatusReport {
    const planes = this.#planes.map(({ name, running }) => ({ name, ...running.health() }));
    const containers = this.#engine?.containers.list() ?? [];
    const healthy = planes.every((plane) => plane.state === 'healthy') ? 'healthy' : 'degraded';
    return {
      version: slipwayVersion(),
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      root: this.#options.paths.root,
      state: this.#phase === 'serving' ? healthy : this.#phase,
      planes,
      dockerSocket: this.#dockerSocket,
      dockerSocketLinked: linkState(systemDockerSocket, this.#dockerSocket) === 'ours',
      containers: {
        running: containers.filter((container) => container.state.pid > 0).length,
        total: containers.length,
      },
      images: this.#engine?.images.list().length ?? 0,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#phase = 'stopping';
    await this.#owned.disposeAsync();
  }

  async #start<Config, Needs, Gives>(
    plane: Plane<Config, Needs, Gives>,
    config: Config,
    needs: Needs,
    signal: AbortSignal,
  ): Promise<Gives> {
    const startMs = monotonicMs();
    const logger = this.#options.logger.with({ component: plane.name });
    const running = this.#owned.use(await plane.start(config, needs, { paths: this.#options.paths, logger, signal }));
    running.done.catch((error: unknown) => this.#died.reject(error));
    this.#planes.push({ name: plane.name, running });
    logger.info('plane started', { tookMs: Math.round(monotonicMs() - startMs) });
    return running.gives;
  }

  #linkSocket(socket: string): void {
    if (linkDockerSocket(systemDockerSocket, socket)) {
      this.#owned.defer(() => unlinkDockerSocket(systemDockerSocket, socket));
    } else {
      this.#options.logger.warn('docker socket belongs to somebody else', { path: systemDockerSocket, ours: socket });
    }
  }

  #exposure(): ExposureReport {
    return exposureReport(this.#running(), {
      respectHostFirewall: this.#options.config.engine.respectHostFirewall,
      dockerSocket: this.#dockerSocket,
      controlSocket: this.#options.paths.controlSocket,
    });
  }

  readonly #stop = async (fate: ContainersFate, signal: AbortSignal): Promise<void> => {
    const containers = fate === 'stop' ? this.#running().containers : undefined;
    const running = containers?.list().filter((container) => container.state.pid > 0) ?? [];
    const limit = new ConcurrencyLimit(stopsAtOnce);
    await Promise.all(
      running.map(({ id }) => limit.run(async () => containers?.stop(id, { platformEnds: true }, signal))),
    );
    this.#options.onStop();
  };

  readonly #bootstrapImage = async (
    request: BootstrapRequest,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<BootstrapLine> => {
    const { bootstrapDebian } = await import('#engine/images/bootstrap-debian.ts');
    const { parseReference } = await import('#formats/reference.ts');
    const { images } = this.#running();
    const reference = parseReference(request.tag);
    const image = await bootstrapDebian({ images, suite: request.suite, reference, onProgress }, signal);
    return { kind: 'done', imageId: image.id, tag: request.tag, sizeBytes: image.sizeBytes };
  };

  #runningRegistry(): RunningRegistry {
    if (this.#registry !== undefined) return this.#registry;
    throw new StatusError('Unavailable', 'Cannot ask the registry: it is off; set registry.listen');
  }

  #running(): Engine {
    return this.#serving(this.#engine);
  }

  #serving<Part>(part: Part | undefined): Part {
    if (part !== undefined) return part;
    throw new StatusError('Unavailable', 'Cannot reach plane "engine": it is starting; try again in a moment');
  }
}
