import { StatusError } from '#base/errors.ts';
import type { Engine } from '#engine/engine.ts';

import type { ClientSession } from '../session/client-session.ts';
import type { ActiveBuild, Built, SolveRequest } from './active-build.ts';
import { exportArchive } from './export-archive.ts';
import { exportFolder, exportTar } from './export-files.ts';
import { type ExporterResponse, exportImage, type ImageOutput } from './export-image.ts';

type Attributes = ReadonlyMap<string, string>;

/** One kind of output: what it does, and the attributes that have a meaning for it or change nothing. */
interface Exporter {
  readonly attributes: Readonly<Record<string, RegExp>>;
  run(engine: Engine, build: ActiveBuild, session: ClientSession, output: ImageOutput): Promise<ExporterResponse>;
}

const anything = /^/;
const no = /^(|0|f|false)$/i;
const yes = /^(|1|t|true)$/i;
const none: ExporterResponse = new Map();

const imageAttributes = { name: anything, 'prefer-image-digest': anything, 'dangling-name-prefix': anything };

const image: Exporter = {
  attributes: {
    ...imageAttributes,
    push: anything,
    load: anything,
    unpack: anything,
    store: yes,
    'push-by-digest': no,
  },
  run: exportImage,
};
const archive: Exporter = {
  attributes: { ...imageAttributes, dest: anything, tar: yes },
  run: exportArchive,
};

/** By the names that clients give; Docker's driver of buildx says `moby` for its own store of images. */
const exporters: Readonly<Record<string, Exporter>> = {
  moby: image,
  image,
  docker: archive,
  oci: archive,
  local: {
    attributes: { dest: anything },
    run: async (_, build, session, { result, id }) => {
      await exportFolder(build, session, { result, id });
      return none;
    },
  },
  tar: {
    attributes: { dest: anything },
    run: async (_, build, session, { result, id }) => {
      await exportTar(build, session, { result, id });
      return none;
    },
  },
};

/**
 * Checks what a client wants to be done with a result, before anything is built; what it does then is said in the build's
 * response. Throws NotSupported by name.
 */
export function chooseExport(
  request: SolveRequest,
): (engine: Engine, build: ActiveBuild, session: ClientSession, result: Built) => Promise<void> {
  const outputs = exportersOf(request).map(({ type, attrs }) => ({
    exporter: checked(type, attrs),
    attributes: attrs,
  }));
  return async (engine, build, session, result) => {
    // One after the other, as the client told them: what a later one says counts.
    for (const [index, { exporter, attributes }] of outputs.entries()) {
      const output = { result, attributes, id: String(index) };
      for (const [name, value] of await exporter.run(engine, build, session, output)) build.response.set(name, value);
    }
  };
}

function checked(type: string, attributes: Attributes): Exporter {
  const exporter = Object.hasOwn(exporters, type) ? exporters[type] : undefined;
  if (exporter === undefined)
    throw new StatusError('NotSupported', `Cannot export to "${type}"; use ${Object.keys(exporters).join(', ')}`);
  for (const [name, value] of attributes) {
    const allowed = Object.hasOwn(exporter.attributes, name) ? exporter.attributes[name] : undefined;
    if (allowed?.test(value) !== true)
      throw new StatusError('NotSupported', `Cannot export to ${type} with ${name}=${value}: leave it away`);
  }
  return exporter;
}

function exportersOf(request: SolveRequest): readonly { readonly type: string; readonly attrs: Attributes }[] {
  if (request.exporters.length > 0) return request.exporters;
  if (request.exporterDeprecated === '') return [];
  return [{ type: request.exporterDeprecated, attrs: request.exporterAttrsDeprecated }];
}
