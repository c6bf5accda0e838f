import { offerCopies } from './copy.ts';
import { keepDrafts } from './drafts.ts';
import { startGrids } from './grid.ts';
import { startKeys } from './keys.ts';
import { startLive } from './live.ts';
import { keepOpened } from './morph.ts';
import { soon } from './page.ts';
import { startTips } from './tips.ts';

document.documentElement.classList.add('js');
keepDrafts();
keepOpened();
offerCopies();
startGrids();
startTips();
startKeys();
soon(startLive);
