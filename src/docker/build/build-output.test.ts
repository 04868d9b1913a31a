import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { BuildEvent } from '#engine/build/builder.ts';
import { StepError } from '#engine/build/step-error.ts';
import type { Output } from '../http/output.ts';
import { BuildOutput } from './build-output.ts';

class Recorder implements Output {
  readonly started = true;
  readonly text: string[] = [];
  hasRoom = true;

  start(): void {}

  async write(chunk: Uint8Array | string): Promise<void> {
    this.text.push(String(chunk));
  }

  async give(chunk: Uint8Array): Promise<void> {
    await this.write(chunk);
  }

  offer(chunk: Uint8Array | string): boolean {
    if (this.hasRoom) this.text.push(String(chunk));
    return this.hasRoom;
  }

  get messages(): readonly unknown[] {
    return this.text.map((line) => JSON.parse(line) as unknown);
  }
}

const image = `sha256:${'ab'.repeat(32)}` as const;

describe('what a build says', () => {
  test('has the words of the classic builder', async () => {
    const recorder = new Recorder();
    const output = new BuildOutput(recorder, false);
    const events: readonly BuildEvent[] = [
      { kind: 'step', number: 1, total: 2, text: 'FROM base', stage: '' },
      { kind: 'progress', id: 'abc', status: 'Downloading', currentBytes: 1, totalBytes: 2 },
      { kind: 'layer', id: '0123456789ab' },
      { kind: 'step', number: 2, total: 2, text: 'RUN x', stage: '' },
      { kind: 'cached' },
      { kind: 'output', bytes: Buffer.from('caf\u00e9\n') },
      { kind: 'warning', text: 'mind' },
      { kind: 'built', imageId: image },
    ];
    for (const event of events) output.onEvent(event);
    await output.finish(image, ['app:1', 'app:2']);
    assert.deepEqual(recorder.messages, [
      { stream: 'Step 1/2 : FROM base\n' },
      { status: 'Downloading', id: 'abc', progressDetail: { current: 1, total: 2 } },
      { stream: ' ---> 0123456789ab\n' },
      { stream: 'Step 2/2 : RUN x\n' },
      { stream: ' ---> Using cache\n' },
      { stream: 'caf\u00e9\n' },
      { stream: '[Warning] mind\n' },
      { aux: { ID: image } },
      { stream: 'Successfully built abababababab\n' },
      { stream: 'Successfully tagged app:1\n' },
      { stream: 'Successfully tagged app:2\n' },
    ]);
  });

  test('keeps characters whole that come in two pieces', () => {
    const recorder = new Recorder();
    const output = new BuildOutput(recorder, false);
    const bytes = Buffer.from('\u00e9');
    output.onEvent({ kind: 'output', bytes: bytes.subarray(0, 1) });
    output.onEvent({ kind: 'output', bytes: bytes.subarray(1) });
    assert.deepEqual(recorder.messages, [{ stream: '\u00e9' }]);
  });

  test('is only the ID when it shall be quiet', async () => {
    const recorder = new Recorder();
    const output = new BuildOutput(recorder, true);
    output.onEvent({ kind: 'cached' });
    await output.finish(image, ['app:1']);
    assert.deepEqual(recorder.messages, [{ aux: { ID: image } }, { stream: `${image}\n` }]);
  });

  test('tells when a slow reader missed something', () => {
    const recorder = new Recorder();
    const output = new BuildOutput(recorder, false);
    recorder.hasRoom = false;
    output.onEvent({ kind: 'output', bytes: Buffer.from('lost') });
    recorder.hasRoom = true;
    output.onEvent({ kind: 'output', bytes: Buffer.from('next') });
    output.onEvent({ kind: 'output', bytes: Buffer.from('last') });
    const notice = '[output was dropped: the client reads too slowly]\n';
    assert.deepEqual(recorder.messages, [{ stream: `${notice}next` }, { stream: 'last' }]);
  });

  test("gives a failed command's exit code", async () => {
    const recorder = new Recorder();
    const output = new BuildOutput(recorder, false);
    const source = { name: 'Dockerfile', lines: ['FROM base', 'RUN exit 7'] };
    await output.fail(new StepError(source, { start: 2, end: 2 }, ['/bin/sh', '-c', 'exit 7'], 7));
    const [message] = recorder.messages as readonly { errorDetail: { code: number; message: string }; error: string }[];
    assert.equal(message?.errorDetail.code, 7);
    assert.equal(message?.error, message?.errorDetail.message);
    assert.match(message?.error ?? '', /The command '\/bin\/sh -c exit 7' returned a non-zero code: 7/);
    await output.fail(new Error('else'));
    assert.deepEqual(recorder.messages[1], { errorDetail: { message: 'else' }, error: 'else' });
  });
});
