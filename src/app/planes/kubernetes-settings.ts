import { listenAddress, yesOrNo } from '../setting.ts';

export const kubernetesSettings = {
  enabled: {
    type: yesOrNo,
    summary: 'whether the Kubernetes API is served; until somebody uses it, it costs next to nothing',
    default: true,
  },
  listen: {
    type: listenAddress,
    summary: 'where the Kubernetes API listens, with TLS; clients need a certificate or a token',
    default: '',
    defaultText: '127.0.0.1:6443; with another root a free port of 127.0.0.1, which the kubeconfig tells',
  },
} as const;
