import { openRunWorld } from './run-world.ts';

/** A process of its own that builds until it is killed: `build-child.ts <folder> <instance> <Dockerfile>`. */
const [folder = '', instance = '', dockerfile = ''] = process.argv.slice(2);
const world = await openRunWorld({ folder, instance });
await world.build(dockerfile, { onOutput: () => process.stdout.write('running\n') });
