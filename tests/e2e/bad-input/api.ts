import { request } from 'node:http';

import type { Instance } from '../../kit/instance.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request to the instance's Docker socket, as libraries send it. */
export async function api(instance: Instance, method: string, path: string, body?: unknown): Promise<ApiAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const sent = request({ socketPath: instance.paths.dockerSocket, method, path, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
  });
  sent.on('error', reject);
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}
