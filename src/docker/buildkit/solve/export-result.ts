import { StatusError } from '#base/errors.ts';
import type { BuildResult } from '#engine/build/builder.ts';
import type { Engine } from '#engine/engine.ts';

import type { ClientSession } from '../session/client-session.ts';
import type { ActiveBuild, SolveRequest } from './active-build.ts';
import { exportArchive } from './export-archive.ts';
import { exportFolder, exportTar } from './export-files.ts';
import { type ExporterResponse, exportImage } from './export-image.ts';

type Attributes = ReadonlyMap<string, string>;

/** One kind of output: what it does, and the attributes that have a meaning for it or change nothing. */
interface Exporter {
  readonly attributes: Readonly<Record<string, RegExp>>;
  run(engine: Engine, build: ActiveBuild, session: ClientSession, output: Output): Promise<ExporterResponse>;
}

interface Output {
  readonly result: BuildResult;
  readonly attributes: Attributes;
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
    run: async (_, build, session, { result }) => {
      await exportFolder(build, session, result);
      return none;
    },
  },
  tar: {
    attributes: { dest: anything },
    run: async (_, build, session, { result }) => {
      await exportTar(build, session, result);
      return none;
    },
  },
};

/** Checks what a client wants to be done with a result, before anything is built. Throws NotSupported by name. */
export function chooseExport(
  request: SolveRequest,
): (engine: Engine, build: ActiveBuild, session: ClientSession, result: BuildResult) => Promise<ExporterResponse> {
  const [first, ...more] = exportersOf(request);
  if (more.length > 0)
    throw new StatusError('NotSupported', 'Cannot build with several outputs at once; build once for each');
  if (first === undefined) return async () => await Promise.resolve(none);
  const { type, attrs: attributes } = first;
  const exporter = Object.hasOwn(exporters, type) ? exporters[type] : undefined;
  if (exporter === undefined)
    throw new StatusError('NotSupported', `Cannot export to "${type}"; use ${Object.keys(exporters).join(', ')}`);
  for (const [name, value] of attributes) {
    const allowed = Object.hasOwn(exporter.attributes, name) ? exporter.attributes[name] : undefined;
    if (allowed?.test(value) !== true)
      throw new StatusError('NotSupported', `Cannot export to ${type} with ${name}=${value}: leave it away`);
  }
  return (engine, build, session, result) => exporter.run(engine, build, session, { result, attributes });
}

function exportersOf(request: SolveRequest): readonly { readonly type: string; readonly attrs: Attributes }[] {
  if (request.exporters.length > 0) return request.exporters;
  if (request.exporterDeprecated === '') return [];
  return [{ type: request.exporterDeprecated, attrs: request.exporterAttrsDeprecated }];
}
