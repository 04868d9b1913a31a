// Lists the tables with rules for what comes to this host, as JSON. A process of its own, since the library crashes on tables
// that newer versions of it wrote.
import { Nft } from '#sys/nft/nft.ts';
import { inputHook, listChains, openFilterSocket } from '#sys/nft/rules.ts';

process.stdout.write(JSON.stringify(listInputTables()));

function listInputTables(): readonly unknown[] {
  using socket = openFilterSocket();
  using nft = new Nft();
  const input = listChains(socket).filter(({ hook }) => hook === inputHook);
  const tables = new Set(input.map(({ family, table }) => `${family} ${table}`));
  return [...tables].flatMap((table) => nft.list(`list table ${table}`));
}
