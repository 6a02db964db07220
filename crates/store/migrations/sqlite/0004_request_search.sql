-- The names of a request's sources find it for those who see their items alone, so they are no part of what finds its head.
-- Accents stay in what was written before.
UPDATE video_requests SET search_text = LOWER(number || ' ' || name || ' ' || COALESCE(category, '') || ' ' || COALESCE(reason, '')
    || ' ' || COALESCE(incident_number, '') || ' ' || COALESCE(address, '')
    || ' ' || (SELECT a.name || ' ' || o.name FROM accounts a JOIN organizations o ON o.id = a.organization_id
               WHERE a.id = video_requests.requester_id));
