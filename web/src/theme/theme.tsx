import {
  ActionIcon,
  Button,
  createTheme,
  defaultVariantColorsResolver,
  NativeSelect,
  SegmentedControl,
  Textarea,
  TextInput,
} from '@mantine/core'
import { Icon } from '../parts/icon.tsx'

const CONTROL = { height: 32, minHeight: 32, fontSize: 13, lineHeight: '30px' }
const LABEL = { fontSize: 13, fontWeight: 600, lineHeight: '20px' }
const HINT = { fontSize: 12, lineHeight: '16px', color: 'var(--muted)' }

/** `autoContrast` fails for one accent that is dark in light mode and light in dark mode, so filled and quiet name their text colours themselves. */
export const theme = createTheme({
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  black: '#1B232D',
  white: '#FFFFFF',
  defaultRadius: 4,
  cursorType: 'pointer',
  respectReducedMotion: true,
  primaryColor: 'accent',
  primaryShade: { light: 7, dark: 3 },
  colors: {
    accent: ['#EAF3FC', '#D3E6F8', '#A9CFF3', '#6CB2F7', '#4A97E3', '#2A7DCB', '#1A6CBC', '#0B5CAD', '#084C91', '#063C74'],
  },
  variantColorResolver: (input) => {
    const border = '1px solid transparent'
    if (input.variant === 'filled')
      return { background: 'var(--accent)', hover: 'var(--accent-hover)', color: 'var(--on)', border }
    if (input.variant === 'quiet')
      return { background: 'var(--quiet)', hover: 'var(--quiet-hover)', color: 'var(--text)', border }
    if (input.variant === 'subtle') return { background: 'transparent', hover: 'var(--hover)', color: 'var(--text)', border }
    if (input.variant === 'default')
      return { background: 'var(--bg)', hover: 'var(--hover)', color: 'var(--text)', border: '1px solid var(--border-control)' }
    return defaultVariantColorsResolver(input)
  },
  components: {
    Button: Button.extend({
      defaultProps: { variant: 'default' },
      vars: (_theme, props) => ({
        root: {
          '--button-height': props.size === 'xs' ? '28px' : '32px',
          '--button-padding-x': props.size === 'xs' ? '10px' : '12px',
          '--button-fz': '13px',
        },
      }),
      // Without `flex: none` a button in a row shrinks and cuts its own label.
      styles: { root: { flex: 'none' }, label: { fontWeight: 500 } },
    }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: 'subtle', size: 28 } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' }, styles: { input: CONTROL, label: LABEL, description: HINT } }),
    NativeSelect: NativeSelect.extend({
      defaultProps: { size: 'sm', rightSection: <Icon name="down" size={12} /> },
      styles: { input: CONTROL, label: LABEL, description: HINT },
    }),
    Textarea: Textarea.extend({
      defaultProps: { size: 'sm' },
      styles: { input: { fontSize: 13, lineHeight: '20px' }, label: LABEL, description: HINT },
    }),
    SegmentedControl: SegmentedControl.extend({
      defaultProps: { withItemsBorders: false },
      styles: { label: { fontSize: 12, fontWeight: 500, padding: '2px 8px' } },
    }),
  },
})
