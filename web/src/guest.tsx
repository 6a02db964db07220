import './ui/base.css'
import './guest/guest.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Guest } from './guest/Guest.tsx'

const token = location.pathname.split('/')[2] ?? ''
const root = document.getElementById('root')
if (root) createRoot(root).render(<StrictMode><Guest token={token} /></StrictMode>)
