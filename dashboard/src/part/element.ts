/** The base of every element: open shadow root, the shared sheet. Elements add their own sheets to `styles`. */
import { type CSSResultGroup, LitElement } from 'lit';
import { sharedSheet } from '../style/shared.js';

export class LineheronElement extends LitElement {
  static override styles: CSSResultGroup = [sharedSheet];
}
