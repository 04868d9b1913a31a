import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { silentLogger } from '#base/logger.ts';
import type { BuildEvent, Builder, BuildRequest, StepRun, StepRunner } from '#engine/build/builder.ts';
import { openBuilder } from '#engine/build/open-builder.ts';
import type { EventLog } from '#engine/events/event-log.ts';
import type { ImageConfig } from '#formats/oci.ts';
import { FakeImages } from './fake-images.ts';
import { FakeSnapshots } from './fake-snapshots.ts';

const never = new AbortController().signal;

/** A builder over fakes; commands are `write <path> <text>`, `fail <code>`, `say <text>`, `hang`, `meet`. */
export class BuildWorld {
  readonly ran: StepRun[] = [];
  readonly events: BuildEvent[] = [];
  readonly images = new FakeImages();
  readonly snapshots: FakeSnapshots;
  readonly folder: string;
  /** Called when a command hangs. */
  onHang: () => void = () => {};
  #builder: (Builder & AsyncDisposable) | undefined;
  #meeting = Promise.withResolvers<void>();
  #met = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.snapshots = new FakeSnapshots(join(folder, 'snapshots'));
  }

  static async create(t: TestContext): Promise<BuildWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-build-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'context'));
    const world = new BuildWorld(folder);
    world.images.offer('base:latest', await world.snapshots.make(undefined, { base: 'base' }), { Env: ['PATH=/bin'] });
    return world;
  }

  async open(): Promise<Builder> {
    await this.#builder?.[Symbol.asyncDispose]();
    const { images, snapshots } = this;
    const events = { publish: () => {} } as unknown as EventLog;
    const dataDir = join(this.folder, 'build');
    const options = { dataDir, images: images.images, snapshots, steps: this.#runner(), events, logger: silentLogger };
    this.#builder = await openBuilder(options, never);
    return this.#builder;
  }

  async build(dockerfile: string, change: Partial<BuildRequest> = {}, signal = never): Promise<string> {
    const builder = this.#builder ?? (await this.open());
    this.events.length = 0;
    const request = { ...this.request, dockerfile, ...change };
    return await builder.build(request, (event) => this.events.push(event), signal);
  }

  /** What a build says when it says nothing. */
  get request(): BuildRequest {
    return {
      contextDir: join(this.folder, 'context'),
      dockerfileName: 'Dockerfile',
      dockerfile: '',
      tags: [],
      buildArgs: {},
      target: '',
      labels: {},
      noCache: false,
      pull: false,
      networkMode: 'default',
      extraHosts: [],
      platform: { os: 'linux', architecture: 'amd64' },
      auth: () => undefined,
    };
  }

  config(id: string): ImageConfig {
    const image = this.images.find(id);
    assert.ok(image);
    return image.config;
  }

  /** The events as short lines. */
  get said(): readonly string[] {
    const told = this.events.filter(({ kind }) => kind !== 'plan' && kind !== 'failed');
    return told.map((event) => {
      if (event.kind === 'step') return `${String(event.number)}/${String(event.total)} ${event.text}`;
      if (event.kind === 'output') return Buffer.from(event.bytes).toString().trim();
      return event.kind === 'warning' ? event.text : event.kind;
    });
  }

  #runner(): StepRunner {
    return {
      canRun: (architecture) => architecture !== 'foreign',
      run: async (step, onOutput, signal) => {
        this.ran.push(step);
        const [verb, first = '', second = ''] = (step.args.at(-1) ?? '').split(' ');
        const root = this.snapshots.mount(step.snapshotId);
        if (verb === 'write') await writeFile(join(root, first), second);
        if (verb === 'say') onOutput(Buffer.from(`${first}\n`));
        if (verb === 'meet') {
          this.#met += 1;
          if (this.#met === 2) this.#meeting.resolve();
          await this.#meeting.promise;
        }
        if (verb === 'hang') {
          const { promise, resolve } = Promise.withResolvers<void>();
          signal.addEventListener('abort', () => resolve());
          this.onHang();
          await promise;
          return 137;
        }
        return verb === 'fail' ? Number(first) : 0;
      },
    };
  }
}
