// `npm run docs` writes the documents that follow from the code; with --check it names the stale ones and fails.
import { documents } from './documents.ts';
import { renderDocuments } from './render-documents.ts';

process.exitCode = await renderDocuments(documents, process.argv.slice(2));
