// What vega.min.js is made of: Vega's dataflow without maps, force layouts and trees, the
// Vega-Lite compiler, and the expression interpreter, which runs under a content security
// policy without 'unsafe-eval'. vega-embed is left out: page.js does its few lines itself.
//
// To make it again, in an empty folder with Node.js:
//   npm install --ignore-scripts vega@6.4.0 vega-lite@6.4.3 vega-interpreter@2.3.2 esbuild@0.28.2
//   npx esbuild vega.entry.js --bundle --minify --format=iife --target=es2020 --charset=ascii \
//     --legal-comments=none --alias:vega=vega-util --outfile=vega.min.js
// (vega-lite takes four functions from vega that are vega-util's own; the alias spares the rest.)
import {extend} from 'vega-util';
import {transforms} from 'vega-dataflow';
import * as tx from 'vega-transforms';
import * as vtx from 'vega-view-transforms';
import * as encode from 'vega-encode';
import * as reg from 'vega-regression';
extend(transforms, tx, vtx, encode, reg);
import {parse} from 'vega-parser';
import {View} from 'vega-view';
import {expressionInterpreter} from 'vega-interpreter';
import {compile} from 'vega-lite';
globalThis.cloudchamberVega = Object.freeze({parse, View, expressionInterpreter, compile});
