"""Exports: what was measured, as CSV files made in the background.

`POST /api/v1/exports` {rooms, metrics, from, to, resolution, excel} -> 202 {id, state, ...};
`GET /api/v1/exports` lists the newest; `GET /api/v1/exports/{id}` {state, rows, done_pct, ...} tells of progress;
`GET /api/v1/exports/{id}/file` is the file once `state` is "done"; `DELETE /api/v1/exports/{id}` cancels and removes.
For staff only. States: waiting, running, done, failed (`code` says why); a cancelled one is gone (404).
"""
