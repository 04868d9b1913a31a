/** The number of an address family in netlink headers: AF_INET or AF_INET6. */
export function familyNumber(family: 4 | 6): number {
  return family === 4 ? 2 : 10;
}
