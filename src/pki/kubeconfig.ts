import type { KeyPair } from './cluster-pki.ts';

export interface KubeconfigParts {
  readonly cluster: string;
  readonly user: string;
  /** Such as https://127.0.0.1:6443. */
  readonly server: string;
  readonly authorityPem: string;
  readonly pair: KeyPair;
}

/** A kubeconfig (client.config.k8s.io v1) as YAML, with key and certificates inside. */
export function kubeconfigText({ cluster, user, server, authorityPem, pair }: KubeconfigParts): string {
  const context = `${user}@${cluster}`;
  return `apiVersion: v1
kind: Config
clusters:
- name: ${quoted(cluster)}
  cluster:
    server: ${quoted(server)}
    certificate-authority-data: ${encoded(authorityPem)}
contexts:
- name: ${quoted(context)}
  context:
    cluster: ${quoted(cluster)}
    user: ${quoted(user)}
current-context: ${quoted(context)}
users:
- name: ${quoted(user)}
  user:
    client-certificate-data: ${encoded(pair.certificatePem)}
    client-key-data: ${encoded(pair.keyPem)}
`;
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function encoded(pem: string): string {
  return Buffer.from(pem, 'utf8').toString('base64');
}
