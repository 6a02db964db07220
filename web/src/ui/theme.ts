import { type CSSVariablesResolver, createTheme } from '@mantine/core'

/** One accent; greys that keep their contrast; compact controls with 8-pixel rhythm. */
export const theme = createTheme({
  primaryColor: 'signal',
  primaryShade: { light: 7, dark: 6 },
  colors: {
    signal: ['#eef3ff', '#dbe6fd', '#b5cafa', '#9dbcff', '#84abff', '#5586ea', '#3b6bd1', '#1f55c4', '#1a48a6', '#143a87'],
    red: ['#fff0ee', '#fcdcd9', '#f6b5af', '#ff9d94', '#ff8a80', '#e25b50', '#c23b31', '#b3261e', '#951c15', '#77130e'],
    gray: ['#f6f7f9', '#eef0f3', '#e5e8ec', '#d9dee4', '#c4cbd4', '#6b7484', '#566072', '#414a59', '#2b323d', '#14181f'],
    dark: ['#e6e9ee', '#c3cad4', '#a0aab8', '#8b95a5', '#2f3742', '#252c35', '#1b2028', '#14181e', '#0d1014', '#08090c'],
  },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '12.5px', sm: '13.5px', md: '14.5px', lg: '17px', xl: '20px' },
  defaultRadius: 6,
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    TextInput: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm', autosize: true, minRows: 2 } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm', hideControls: true } },
    NativeSelect: { defaultProps: { size: 'sm' } },
    TagsInput: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'sm' } },
    Switch: { defaultProps: { size: 'sm' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, events: { hover: true, focus: !matchMedia('(hover: none)').matches, touch: false } } },
    // The head of a dialog is no banner of the page.
    ModalHeader: { defaultProps: { role: 'presentation' } },
    DrawerHeader: { defaultProps: { role: 'presentation' } },
    Modal: { defaultProps: { centered: true, radius: 8, transitionProps: { duration: 120 } } },
    Drawer: { defaultProps: { position: 'right', transitionProps: { duration: 140 } } },
    Menu: { defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false, position: 'bottom-end', shadow: 'md', transitionProps: { duration: 80 } } },
  },
})

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-error': '#b3261e', '--mantine-color-body': '#ffffff', '--mantine-color-placeholder': '#5f6878' },
  dark: { '--mantine-color-error': '#ff8a80', '--mantine-color-body': '#14181e', '--mantine-color-placeholder': '#98a2b1' },
})
