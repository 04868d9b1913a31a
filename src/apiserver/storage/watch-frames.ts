import type { StoredObject } from './stored-object.ts';

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Lines of watches on one resource: all watchers are told of an event in one turn, so one line is kept for all of them. */
export class WatchFrames {
  #object: StoredObject | undefined;
  #type: WatchEventType | undefined;
  #line: Buffer = Buffer.alloc(0);

  readonly frame = (type: WatchEventType, object: StoredObject): Buffer => {
    if (this.#object === object && this.#type === type) return this.#line;
    this.#line = Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object.json, lineEnd]);
    this.#object = object;
    this.#type = type;
    return this.#line;
  };
}

const lineEnd = Buffer.from('}\n');
