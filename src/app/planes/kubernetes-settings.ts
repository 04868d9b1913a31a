import { absolutePath, listenAddress, minutes, nodeName, subnet, yesOrNo } from '../setting.ts';

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
  controllers: {
    type: yesOrNo,
    summary: 'whether controllers run: endpoints of services, jobs and others; off where others do their work',
    default: true,
  },
  node: {
    type: yesOrNo,
    summary: 'whether this machine is a node of its cluster and runs its pods; a preview',
    default: false,
  },
  nodeName: {
    type: nodeName,
    summary: 'what this machine is called as a node',
    default: '',
    defaultText: 'its host name',
  },
  podCidr: {
    type: subnet,
    summary: 'addresses of the pods of this machine, such as 10.244.0.0/24',
    default: '',
    defaultText: 'a free subnet of engine.addressPools',
  },
  eventMinutes: {
    type: minutes,
    summary: 'minutes that events of the Kubernetes API are kept',
    default: 60,
  },
  auditPolicy: {
    type: absolutePath,
    summary:
      'a file with a Policy of audit.k8s.io/v1; requests are noted by it in audit.log beside the log of the daemon',
    default: '',
    defaultText: 'nothing is noted',
  },
  encryptionConfiguration: {
    type: absolutePath,
    summary: 'a file with an EncryptionConfiguration (aesgcm, aescbc) by which secrets and others are kept on the disk',
    default: '',
    defaultText: 'as they are',
  },
} as const;
