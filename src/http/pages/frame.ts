import type { Request, Response } from 'express';
import type { Clock } from '../../base/clock.ts';
import type { Frame } from '../../ui/frame.ts';
import type { Authentication } from '../authentication.ts';
import { liveOf } from '../live/pages.ts';
import { themeOf } from './theme.ts';

/** What a page is drawn with, for who asks. */
export type FrameOf = (request: Request, response: Response, screen: Frame['screen']) => Frame;

export interface FrameTools {
  clock: Clock;
  authentication: Pick<Authentication, 'viewer' | 'csrf'>;
}

/** Frames for the pages of one service. */
export function createFrameOf({ clock, authentication }: FrameTools): FrameOf {
  return (request, response, screen) => {
    const viewer = authentication.viewer(response);
    const csrf = authentication.csrf(response);
    const theme = themeOf(request);
    const live = liveOf(response);
    return {
      now: clock.now().toISOString(),
      path: request.originalUrl,
      screen,
      signIn: '/sign-in',
      ...(viewer === undefined ? {} : { viewer }),
      ...(live === undefined ? {} : { live }),
      ...(csrf === undefined ? {} : { csrf }),
      ...(theme === undefined ? {} : { theme }),
    };
  };
}
