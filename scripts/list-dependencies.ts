// `npm run deps` writes deps.txt; with --check it fails when deps.txt is not what package-lock.json says.
import { dependencyList } from './dependency-list.ts';
import { renderDocuments } from './render-documents.ts';

process.exitCode = await renderDocuments([{ path: 'deps.txt', render: dependencyList }], process.argv.slice(2));
