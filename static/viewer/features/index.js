// What hangs in the page, in the order in which it is hung. A new feature is a file beside this one and a row here.

import { install as cine } from "./cine.js";
import { install as correcting } from "./correcting.js";
import { install as exporting } from "./exporting.js";
import { install as hanging } from "./hanging.js";
import { install as keyImages } from "./keyimages.js";
import { install as linking } from "./linking.js";
import { install as live } from "./live.js";
import { install as measuring } from "./measuring.js";
import { install as objects } from "./objects.js";
import { install as settings } from "./settings.js";
import { install as sharing } from "./sharing.js";
import { install as trueSize } from "./truesize.js";
import { install as viewed } from "./viewed.js";
import { install as volume } from "./volume.js";

/** For whoever came by a share link: what only looks. Nothing of theirs is kept. */
export const LOOKING = [linking, volume, cine, hanging];
export const FEATURES = [linking, volume, measuring, cine, keyImages, objects, viewed, hanging, exporting, sharing, correcting, trueSize, live, settings];
