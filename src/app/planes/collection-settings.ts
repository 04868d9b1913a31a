import { diskShare, hoursOrNever, minutes } from '../setting.ts';

export const collectionSettings = {
  buildCache: {
    type: diskShare,
    summary: 'the most that the build cache may take; the least recently used entries go first',
    default: { percent: 20 },
    defaultText: '20% of the disk',
  },
  minFree: {
    type: diskShare,
    summary: 'when less of the disk is free, images without a name and the build cache go whatever their age',
    default: { percent: 5 },
    defaultText: '5% of the disk',
  },
  danglingAfter: {
    type: hoursOrNever,
    summary: 'hours after which an image goes that nothing names or uses; never: it stays',
    default: 168,
    defaultText: '168, a week',
  },
  unusedAfter: {
    type: hoursOrNever,
    summary: 'hours after which an image with a name goes that no container uses; never: it stays',
    default: 'never',
    defaultText: 'never',
  },
  every: {
    type: minutes,
    summary: 'minutes between two looks at what can go',
    default: 10,
    defaultText: '10',
  },
} as const;
