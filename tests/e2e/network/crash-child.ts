import { createLogger } from '#base/logger.ts';
import { openNetworks } from '#engine/network/open-networks.ts';

import { port, RecordedEvents, sandboxRequest, signal } from '../../kit/private-host.ts';

/** A process that a test kills: `settle` opens two containers and waits, `churn` opens and closes without end. */
const [mode, text = '{}'] = process.argv.slice(2);
const options = JSON.parse(text) as { dataDir: string; runDir: string; instance: string; etcDir: string };
/** What is worth an error line is worth a failed test. */
const logger = createLogger({
  level: 'error',
  format: 'json',
  write: (line) => {
    process.stderr.write(line);
    process.exit(3);
  },
});
const networks = await openNetworks({ ...options, addressPools: [], events: new RecordedEvents(), logger }, signal());
await networks.reconcile(new Set(), signal());
if (mode === 'settle') {
  await networks.create({ name: 'boards' }, signal());
  const endpoints = [{ network: 'boards' }];
  await networks.open(
    sandboxRequest('kept', { endpoints, ports: [port(80), port(53, { protocol: 'udp' })] }),
    signal(),
  );
  await networks.open(sandboxRequest('dead', { endpoints, ports: [port(80)] }), signal());
  process.stdout.write('ready\n');
  process.stdin.resume();
} else {
  for (let round = 0; ; round += 1) {
    const name = `net-${String(process.pid)}-${String(round)}`;
    await networks.create({ name }, signal());
    const endpoints = [{ network: 'bridge' }, { network: name }];
    const request = sandboxRequest(`c${String(round)}`, { endpoints, ports: [port(80)] });
    await networks.open(request, signal());
    if (round === 0) process.stdout.write('ready\n');
    await networks.disconnect(request.containerId, 'bridge', signal());
    await networks.connect(request.containerId, { network: 'bridge' }, signal());
    await networks.close(request.containerId);
    await networks.remove(name, signal());
  }
}
