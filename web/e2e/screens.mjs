// Every screen: whose it is, where it is, and what is open on it. `at` holds the ids (desk.mjs). A new route of src/router.tsx needs
// a line here: accessibility.mjs compares.
const press = (name) => (page) => page.getByRole('button', { name, exact: true }).first().click()
const tab = (name) => (page) => page.getByRole('link', { name, exact: true }).first().click()
const then = (...steps) => async (page) => { for (const step of steps) await step(page) }
const fill = (label, text) => (page) => page.getByLabel(label).fill(text)

const investigator = (at) => [
  ['home', '/'],
  ['registry', '/registry'],
  ['registry-map', '/registry?view=map', { widths: [390] }],
  ['registry-near', `/registry?near=${at.near}&r=250&place=6th+%26+Main&chosen=${at.chosen}`],
  ['registry-place', '/registry', { open: then((page) => page.getByRole('textbox', { name: 'Place' }).fill('5th'), (page) => page.locator('[role=option]').first().waitFor()) }],
  ['registry-nothing', '/registry?q=zeppelin&view=list'],
  ['camera', `/registry?view=list&camera=${at.camera}`],
  ['camera-bare', `/registry?view=list&camera=${at.bare}`],
  ['ask', `/registry?view=list&chosen=${at.chosen}&sheet=request`],
  ['ask-no-time', `/registry?view=list&chosen=${at.chosen}&sheet=request`, { open: (page) => page.getByRole('dialog').getByLabel(/^From/).fill('') }],
  ['ask-more', `/registry?view=list&chosen=${at.chosen}&sheet=request`, { open: then((page) => page.getByText('Case and deadline').click(), press('Other minutes for this camera')) }],
  ['ask-place', `/registry?view=list&near=${at.near}&sheet=request`],
  ['requests', '/requests?tab=mine'],
  ['requests-nothing', '/requests?q=zeppelin'],
  ['request', `/requests/${at.fetched.request}`],
  ['request-uploaded', `/requests/${at.uploaded.request}`],
  ['request-question', `/requests/${at.asked.questioned.id}`, { open: press('Answer') }],
  ['request-denied', `/requests/${at.asked.denied.id}`],
  ['request-cancel', `/requests/${at.asked.pending.id}`, { open: press('Cancel request') }],
  ['cases', '/cases'],
  ['case-new', '/cases', { open: press('New case') }],
  ['case', `/cases/${at.uploaded.case}`],
  ['case-empty', `/cases/${at.empty}`],
  ['case-access', `/cases/${at.uploaded.case}?tab=access`],
  ['case-history', `/cases/${at.uploaded.case}?tab=history`],
  ['case-rename', `/cases/${at.empty}`, { open: press('Rename') }],
  ['case-link', `/cases/${at.empty}`, { open: press('Upload link') }],
  ['case-link-made', `/cases/${at.empty}`, { open: then(press('Upload link'), press('Make the link'), (page) => page.locator('.link-card').waitFor()) }],
  ['case-upload', `/cases/${at.empty}`, { open: press('Add files') }],
  ['file', `/cases/${at.fetched.case}?file=${at.fetched.file}`],
  ['file-uploaded', `/cases/${at.uploaded.case}?file=${at.uploaded.file}`],
  ['account-menu', '/cases', { open: press(/Ines Okafor/) }],
  ['main-menu', '/cases', { widths: [390], open: press('Menu') }],
  ['closed', '/accounts', { open: (page) => page.getByText('“People” is not open to your account').waitFor() }],
  ['closed-groups', '/groups/', { widths: [390], open: (page) => page.getByText('“People” is not open to your account').waitFor() }],
  ['not-found', '/nowhere'],
]

const approver = (at) => [
  ['review', '/review'],
  ['review-approve', '/review', { open: press(/^Approve/) }],
  ['review-narrow', '/review', { open: press('Narrow') }],
  ['review-deny', '/review', { open: press(/^Deny/) }],
  ['requests-all', '/requests?tab=all'],
  ['request-decide', `/requests/${at.asked.pending.id}`],
  ['request-decide-all', `/requests/${at.asked.pending.id}`, { open: press(/^Approve all/) }],
  ['request-place', `/requests/${at.asked.place.id}`, { open: press('Ask a question') }],
  ['request-link', `/requests/${at.asked.linked.id}`, { open: press('Upload link') }],
]

const administrator = (at) => [
  ['camera-new', '/registry?view=list&sheet=new'],
  ['camera-edit', `/registry?view=list&camera=${at.bare}&sheet=edit`],
  ['camera-field', `/registry?view=list&camera=${at.bare}&sheet=edit`, { open: press('Another field') }],
  ['connectors', '/connectors'],
  ['connector-new', '/connectors', { open: press('New connector') }],
  ['connector', `/connectors/${at.connector}`],
  ['connector-set-up', `/connectors/${at.awaited}`, { open: (page) => page.getByLabel('Video system').selectOption('Frigate') }],
  ['connector-made', '/connectors', { open: then(press('New connector'), (page) => page.getByLabel('Name').fill(`Yard recorder ${Date.now()}`), press('Make the connector'), press('Download the connection file'), (page) => page.getByRole('button', { name: 'Set it up' }).waitFor()) }],
  ['connector-revoke', `/connectors/${at.connector}`, { open: press('Revoke') }],
  ['mail', '/mail'],
  ['message', `/mail?id=${at.mail}`],
  ['message-text', `/mail?id=${at.mail}`, { open: (page) => page.getByText('Plain text').click() }],
  ['mail-nothing', '/mail?state=dead'],
  ['jobs', '/jobs'],
  ['accounts', '/accounts'],
  ['account', `/accounts?id=${at.account}`],
  ['account-new', '/accounts?id=new'],
  ['account-disable', `/accounts?id=${at.account}`, { open: press('Disable') }],
  ['organizations', '/organizations'],
  ['organization', '/organizations', { open: press('Change') }],
  ['groups', '/groups'],
  ['group', '/groups', { open: press('Change') }],
  ['tokens', '/tokens'],
  ['token-new', '/tokens', { open: press('New token') }],
  ['settings', '/settings'],
  ['password', '/password'],
]

const operator = () => [
  ['operator-connectors', '/connectors'],
  ['organization-holds', '/connectors', { open: then(tab('organization'), press('Change'), (page) => page.getByRole('switch').click()) }],
]

const prosecutor = (at) => [
  ['shared', '/'],
  ['shared-case', `/cases/${at.fetched.case}`],
  ['shared-file', `/cases/${at.fetched.case}?file=${at.fetched.file}`],
  ['shared-nothing-else', '/requests?tab=mine'],
]

const nobody = () => [
  ['sign-in', '/sign-in'],
  ['sign-in-refused', '/sign-in', { open: then(fill('E-mail or user name', 'somebody'), (page) => page.getByLabel('Password', { exact: true }).fill('wrong'), press('Sign in'), (page) => page.getByRole('alert').first().waitFor()) }],
]

const participant = (at) => [
  ['guest-ask', `/f/${at.links.fresh}`],
  ['guest-ask-case', `/f/${at.links.open}`],
  ['guest-answer', `/f/${at.links.fresh}`, { open: press('Go on') }],
  ['guest-part', `/f/${at.links.fresh}`, { open: then(press('Go on'), (page) => page.getByLabel('I have part of it').check(), (page) => page.locator('summary').click()) }],
  ['guest-no-clock', `/f/${at.links.fresh}`, { open: then(press('Go on'), (page) => page.getByLabel('I have it').check(), fill('What does the recorder', 'about nine'), press('Go on to the files')) }],
  ['guest-files', `/f/${at.links.answered}`],
  ['guest-doubt', `/f/${at.links.answered}`, { open: then((page) => page.getByLabel('Files to send').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('These are notes.') }), (page) => page.getByRole('alert').waitFor()) }],
  ['guest-receipt', `/f/${at.uploaded.link}`],
  ['guest-thanks', `/f/${at.links.refused}`, { open: (page) => page.getByRole('heading', { name: 'Thank you for the answer' }).waitFor() }],
  ['guest-revoked', `/f/${at.uploaded.revoked}`],
  ['guest-expired', `/f/${at.links.expired}`],
  ['guest-unknown', '/f/frl_nothing'],
]

export const screens = (at) => Object.entries({ nobody, participant, prosecutor, operator, approver, administrator, investigator })
  .flatMap(([who, list]) => list(at).map(([name, path, { open, widths = [1280, 390] } = {}]) => ({ who, name, path, open, widths })))
